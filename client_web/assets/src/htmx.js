// htmx with morphing swaps, the CSRF token and what to say when a request fails.
import htmx from "htmx.org/dist/htmx.esm.js";
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";
import { toast } from "./toast.js";

const morphStyles = { morph: "outerHTML", "morph:outerHTML": "outerHTML", "morph:innerHTML": "innerHTML" };

htmx.defineExtension("morph", {
  isInlineSwap: (style) => morphStyles[style] === "outerHTML",
  handleSwap(style, target, fragment) {
    if (!(style in morphStyles)) return false;
    return Idiomorph.morph(target, fragment.children, { morphStyle: morphStyles[style], ignoreActiveValue: true });
  },
});

document.addEventListener("htmx:configRequest", ({ detail }) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  if (token && detail.verb !== "get") detail.headers["X-CSRFToken"] = token;
});

document.addEventListener("htmx:responseError", ({ detail }) => {
  const { xhr } = detail;
  const said = (xhr.getResponseHeader("HX-Trigger") || "").includes('"toast"');
  if (!said) toast(sentenceOf(xhr), "danger");
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => toast(document.body.dataset.textOffline, "danger"));
}

function sentenceOf(xhr) {
  if ((xhr.getResponseHeader("Content-Type") || "").includes("json")) {
    try {
      const { detail, title } = JSON.parse(xhr.responseText);
      if (detail || title) return detail || title;
    } catch {
      // A body that is not what its header says tells nothing; the general sentence follows.
    }
  }
  const { textRefused, textFailed } = document.body.dataset;
  return xhr.status === 403 ? textRefused : textFailed;
}

export default htmx;
