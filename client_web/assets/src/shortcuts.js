// One-letter keys, never while someone is writing or a dialog is open. Keys go by their place, so that they work on a Persian keyboard.
let waiting = false;

const writing = (element) => element.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog[open], [role=menu], daftar-board li, [role=grid]");
const letterOf = (event) => (/^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : event.key);

function press(element) {
  if (!element) return false;
  if (element.matches("input")) {
    element.focus();
    element.select();
  } else {
    element.click();
  }
  return true;
}

function moveRow(step) {
  const rows = [...document.querySelectorAll("tr[data-href]")];
  const now = rows.indexOf(document.activeElement?.closest("tr"));
  const row = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
  row?.querySelector("a")?.focus();
  return Boolean(row);
}

function act(key, event) {
  if (waiting) {
    waiting = false;
    return press(document.querySelector(`.k-nav-item[data-key="${CSS.escape(key)}"]`));
  }
  if (key === "g") {
    waiting = true;
    setTimeout(() => { waiting = false; }, 1500);
    return true;
  }
  if (event.key === "?" || event.key === "؟") return press(document.querySelector('[data-dialog-open="shortcuts"]'));
  if (event.code === "Slash" || key === "/") return press(document.querySelector("[data-search]") ?? document.querySelector("[data-search-all]"));
  if (key === "j") return moveRow(1);
  if (key === "k") return moveRow(-1);
  if (key === "n" || key === "e") return press(document.querySelector(`[data-key="${key}"]:not(.k-nav-item)`));
  return false;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
  if (act(letterOf(event), event)) event.preventDefault();
});
