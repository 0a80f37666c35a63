// The sidebar on narrow screens.
import { on } from "./dom.js";

const opener = () => document.querySelector("[data-sidebar-open]");

function show(open) {
  document.documentElement.toggleAttribute("data-sidebar", open);
  opener()?.setAttribute("aria-expanded", String(open));
  if (open) document.querySelector("#sidebar a")?.focus();
  else opener()?.focus();
}

on("click", "[data-sidebar-open]", () => show(true));
on("click", "[data-sidebar-close]", () => show(false));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.documentElement.hasAttribute("data-sidebar")) show(false);
});
