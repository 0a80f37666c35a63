// Dialogs: opening, closing, forms from the server, and asking before something happens.
import { on } from "./dom.js";

on("click", "[data-dialog-open]", (_event, button) => {
  document.getElementById(button.dataset.dialogOpen)?.showModal();
});
on("click", "[data-dialog-close]", (_event, button) => button.closest("dialog")?.close());
on("click", "dialog", (event, dialog) => {
  if (event.target === dialog) dialog.close();
});

const sheet = () => document.getElementById("sheet");
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "sheet-body" && !sheet().open) sheet().showModal();
});
document.addEventListener("sheet:close", () => sheet().close());

/** Ask; the promise tells whether the answer was yes. */
function ask(element) {
  const dialog = document.getElementById("confirm");
  const yes = dialog.querySelector("[data-confirm-yes]");
  dialog.querySelector("#confirm-text").textContent = element.dataset.confirm;
  const words = yes.querySelector("span");
  words.dataset.usual ??= words.textContent;
  words.textContent = element.dataset.confirmAction || words.dataset.usual;
  const danger = "confirmDanger" in element.dataset;
  yes.classList.toggle("k-btn-danger", danger);
  yes.classList.toggle("k-btn-primary", !danger);
  dialog.showModal();
  return new Promise((resolve) => {
    let answer = false;
    const agree = () => {
      answer = true;
      dialog.close();
    };
    yes.addEventListener("click", agree, { once: true });
    dialog.addEventListener("close", () => {
      yes.removeEventListener("click", agree);
      resolve(answer);
    }, { once: true });
  });
}

const agreed = new WeakSet();

async function hold(event, element, goOn) {
  if (agreed.delete(element)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (await ask(element)) {
    agreed.add(element);
    goOn();
  }
}

// In the capturing phase, so that htmx and the browser wait for the answer.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const asking = event.submitter?.dataset.confirm ? event.submitter : form;
  if (asking.dataset.confirm) hold(event, asking, () => form.requestSubmit(event.submitter));
}, true);
document.addEventListener("click", (event) => {
  const element = event.target.closest?.("a[data-confirm], button[type=button][data-confirm]");
  if (element) hold(event, element, () => element.click());
}, true);
