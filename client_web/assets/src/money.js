// <daftar-money>: groups digits while one types; sends a plain ASCII decimal.
import { make } from "./dom.js";
import { ascii, local } from "./digits.js";

/** Return the ASCII decimal in the text, or the text itself when there is none. */
export function plain(text) {
  const bare = ascii(text).replace(/[,\s\u00a0\u202f\u200e\u200f]/g, "");
  return /^-?\d*\.?\d*$/.test(bare) ? bare : text;
}

/** Return a plain decimal in groups of three and the digits of the language. */
export function grouped(decimal) {
  if (!/^-?\d*\.?\d*$/.test(decimal)) return decimal;
  const [whole, fraction] = decimal.split(".");
  const farsi = document.documentElement.lang === "fa";
  const groups = whole.replace(/\B(?=(\d{3})+(?!\d))/g, farsi ? "٬" : ",");
  return local(fraction === undefined ? groups : groups + (farsi ? "٫" : ".") + fraction);
}

class Money extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input:not([type=hidden])");
    if (!input || this.querySelector("[type=hidden]")) return;
    const sent = make("input", { type: "hidden", name: input.name, value: input.value });
    input.removeAttribute("name");
    input.after(sent);
    input.value = grouped(this.trimmed(input.value));
    input.addEventListener("input", () => this.read(input, sent));
    input.form?.addEventListener("reset", () => setTimeout(() => this.read(input, sent)));
  }

  trimmed(decimal) {
    return this.dataset.decimals === "0" ? decimal.replace(/\.0+$/, "") : decimal;
  }

  read(input, sent) {
    const digitsAfter = ascii(input.value.slice(input.selectionEnd)).replace(/[^\d.]/g, "").length;
    sent.value = plain(input.value);
    input.value = grouped(sent.value);
    let place = input.value.length;
    for (let left = digitsAfter; left > 0 && place > 0; place -= 1) {
      if (/[\d.]/.test(ascii(input.value[place - 1]))) left -= 1;
    }
    if (document.activeElement === input) input.setSelectionRange(place, place);
    sent.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

customElements.define("daftar-money", Money);
