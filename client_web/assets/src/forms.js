// What every form may ask for: submitting itself, showing a password, copying, the activity composer.
import { on } from "./dom.js";
import { toast } from "./toast.js";

let later;
const submitSoon = (form, delay) => {
  clearTimeout(later);
  later = setTimeout(() => form.requestSubmit(), delay);
};

on("change", "form[data-autosubmit]", (event, form) => {
  if (event.target.type !== "search") submitSoon(form, 0);
});
on("input", "form[data-autosubmit]", (event, form) => {
  if (event.target.type === "search") submitSoon(form, 250);
});

on("click", "[data-reveal]", (_event, button) => {
  const input = document.getElementById(button.dataset.reveal);
  const shown = input.type === "text";
  input.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
});

on("click", "[data-copy]", async (_event, button) => {
  await navigator.clipboard.writeText(button.dataset.copy);
  toast(button.dataset.copied, "success");
});

// A part with data-shown-when="name=value" is there while that choice of its form is made.
function showChosen(form) {
  for (const part of form.querySelectorAll("[data-shown-when]")) {
    const [name, value] = part.dataset.shownWhen.split("=");
    part.hidden = new FormData(form).get(name) !== value;
  }
}

on("change", "form", (_event, form) => showChosen(form));

function showParts(composer) {
  const { subject, due } = composer.querySelector("[name=kind]:checked")?.dataset ?? {};
  composer.querySelector("[data-composer-subject]").hidden = subject !== "1";
  composer.querySelector("[data-composer-due]").hidden = due !== "1";
}

on("change", "[data-composer]", (event, composer) => {
  if (event.target.name === "kind") showParts(composer);
});
document.addEventListener("htmx:load", ({ target }) => {
  for (const composer of target.querySelectorAll("[data-composer]")) showParts(composer);
  for (const form of target.querySelectorAll("form:has([data-shown-when])")) showChosen(form);
  target.querySelector("[data-focus]")?.focus();
});

document.addEventListener("htmx:afterRequest", ({ target, detail }) => {
  // A refusal with 422 is swapped in, hence no error to htmx; what was typed must stay.
  if (!detail.successful || detail.xhr.status >= 400 || !target.matches?.("form[data-reset]")) return;
  target.reset();
  if (target.matches("[data-composer]")) showParts(target);
});

// A second click while the answer is on its way would send the form twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if ("sending" in form.dataset) event.preventDefault();
  form.dataset.sending = "";
  // A form that answers with a download leaves the page as it was.
  setTimeout(() => delete form.dataset.sending, 4000);
});
