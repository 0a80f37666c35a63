// Short messages at the edge of the page. The server sends one with HX-Trigger: {"toast": {...}}.
import { icon, make, on } from "./dom.js";

const icons = { info: "info-circle", success: "circle-check", warning: "alert-triangle", danger: "alert-circle" };
const seconds = { info: 6, success: 5, warning: 10, danger: 14 };

/** Show a message; `undo` names a button and the box that it ticks back, `link` a page and its words. It leaves by itself unless the pointer or the focus rests on it. */
export function toast(text, level = "info", undo = null, link = null) {
  const close = make("button", { type: "button", class: "k-toast-close", "aria-label": document.body.dataset.textClose, "data-toast-close": true }, icon("x", "sm"));
  const words = make("span", { class: "k-toast-text" }, text);
  const box = make("div", { class: `k-toast k-toast-${level}`, role: level === "danger" ? "alert" : "status", "data-toast": true }, icon(icons[level] || icons.info), words, close);
  if (undo) close.before(make("button", { type: "button", class: "btn k-btn k-btn-ghost", "data-toast-undo": undo.press }, undo.label));
  if (link) close.before(make("a", { href: link.url, class: "k-toast-link" }, link.label));
  document.getElementById("toasts").append(box);
  leaveLater(box, seconds[level] || seconds.info);
}

function leaveLater(box, delay) {
  setTimeout(() => {
    if (box.matches(":hover, :focus-within")) leaveLater(box, 2);
    else box.remove();
  }, delay * 1000);
}

on("click", "[data-toast-close]", (_event, button) => button.closest("[data-toast]").remove());
on("click", "[data-toast-undo]", (_event, button) => {
  document.querySelector(button.dataset.toastUndo)?.click();
  button.closest("[data-toast]").remove();
});
document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.requestConfig.verb === "get") return;
  for (const box of document.querySelectorAll(".k-toast-danger, .k-toast:has([data-toast-undo])")) box.remove();
});
document.addEventListener("toast", ({ detail }) => toast(detail.text || detail.value, detail.level, detail.undo, detail.link));
for (const box of document.querySelectorAll("[data-toast]")) {
  if (!box.classList.contains("k-toast-danger")) leaveLater(box, 6);
}
