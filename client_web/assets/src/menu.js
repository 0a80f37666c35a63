// Menus as WAI-ARIA describes them: one button, arrow keys, Home, End, Escape, first letters.
import { isRtl, on } from "./dom.js";

const parts = (menu) => ({
  button: menu.querySelector("[aria-haspopup]"),
  list: menu.querySelector("[role=menu]"),
  items: [...menu.querySelectorAll("[role=menuitem]")],
});

const GAP = 4;
const EDGE = 8;

/** Stand below the button, or above it where there is no room; fixed, so that no list cuts the menu off. */
function stand(list, button) {
  const box = button.getBoundingClientRect();
  Object.assign(list.style, { position: "fixed", inset: "auto" });
  const { offsetWidth: width, offsetHeight: height } = list;
  const above = box.top - height - GAP;
  const top = box.bottom + GAP + height > innerHeight - EDGE && above > EDGE ? above : box.bottom + GAP;
  const toTheLeft = list.classList.contains("k-menu-end") !== isRtl();
  const left = toTheLeft ? box.right - width : box.left;
  list.style.top = `${top}px`;
  list.style.left = `${Math.max(EDGE, Math.min(left, document.documentElement.clientWidth - width - EDGE))}px`;
}

function open(menu, place = 0) {
  closeAll(menu);
  const { button, list, items } = parts(menu);
  list.hidden = false;
  stand(list, button);
  button.setAttribute("aria-expanded", "true");
  items.at(place)?.focus({ preventScroll: true });
}

function close(menu, giveBack = false) {
  const { button, list } = parts(menu);
  if (list.hidden) return;
  list.hidden = true;
  button.setAttribute("aria-expanded", "false");
  if (giveBack) button.focus();
}

function closeAll(except) {
  for (const menu of document.querySelectorAll("[data-menu]")) if (menu !== except) close(menu);
}

function onKey(event, menu) {
  const { button, list, items } = parts(menu);
  if (list.hidden) {
    if (event.target === button && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      open(menu, event.key === "ArrowDown" ? 0 : -1);
    }
    return;
  }
  const now = items.indexOf(document.activeElement);
  const steps = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 };
  if (event.key in steps) {
    event.preventDefault();
    items.at(steps[event.key] % items.length)?.focus();
  } else if (event.key === "Escape") {
    event.stopPropagation();
    close(menu, true);
  } else if (event.key === "Tab") {
    close(menu);
  } else if (event.key.length === 1 && /\S/.test(event.key)) {
    const rest = [...items.slice(now + 1), ...items.slice(0, now + 1)];
    rest.find((item) => item.textContent.trim().toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
}

on("keydown", "[data-menu]", onKey);
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-menu] [aria-haspopup]");
  const menu = event.target.closest?.("[data-menu]");
  if (button) {
    if (button.getAttribute("aria-expanded") === "true") close(menu);
    else open(menu);
  } else if (!menu || event.target.closest("[role=menuitem]")) {
    closeAll();
  }
});
document.addEventListener("scroll", () => closeAll(), { capture: true, passive: true });
addEventListener("resize", () => closeAll());
