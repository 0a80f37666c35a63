// <daftar-date>: a date (and time) one types or picks, in either calendar; sends ISO text.
import { calendars, parse, short, today } from "./calendar.js";
import { DatePopup } from "./date-popup.js";
import { ascii, local } from "./digits.js";
import { fill, icon, make } from "./dom.js";

/** Return "14:30" for what someone typed as a time, "" for nothing, undefined for what is none. */
export function parseTime(text) {
  const bare = ascii(text).trim();
  if (!bare) return "";
  const found = bare.match(/^(\d{1,2})(?:[:.٫h]?(\d{2}))?$/);
  if (!found || Number(found[1]) > 23 || Number(found[2] || 0) > 59) return undefined;
  return `${found[1].padStart(2, "0")}:${found[2] || "00"}`;
}

class DateField extends HTMLElement {
  connectedCallback() {
    if (this.sent) return;
    const { lang, dataset } = document.documentElement;
    this.calendar = calendars[dataset.calendar] || calendars.gregorian;
    this.locale = lang;
    this.words = this.dataset;
    this.min = this.dataset.min;
    this.max = this.dataset.max;
    this.input = this.querySelector("input");
    this.sent = make("input", { type: "hidden", name: this.input.name, value: this.input.getAttribute("value") || "" });
    this.build();
    this.display();
    this.input.form?.addEventListener("reset", () => setTimeout(() => {
      this.sent.value = this.sent.defaultValue;
      this.display();
    }));
  }

  disconnectedCallback() {
    this.popup?.close();
  }

  build() {
    const { input } = this;
    input.removeAttribute("name");
    input.type = "text";
    input.inputMode = "numeric";
    input.autocomplete = "off";
    input.dir = "ltr";
    input.placeholder = short(this.calendar, today());
    input.setAttribute("data-date-input", "");
    this.button = make("button", { type: "button", class: "btn k-btn k-btn-icon k-btn-ghost k-date-button", "aria-label": this.words.textOpen, "aria-haspopup": "dialog" }, icon("calendar"));
    this.wrong = make("p", { class: "k-error", hidden: true, role: "alert" });
    const group = make("span", { class: "k-date-group" });
    input.before(group);
    group.append(input, this.button, this.sent);
    this.append(this.wrong);
    if ("withTime" in this.dataset) this.buildTime();
    input.addEventListener("change", () => this.read());
    input.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      this.open();
    });
    this.button.addEventListener("click", () => this.open());
  }

  buildTime() {
    const label = `${this.querySelector("input").labels?.[0]?.textContent.trim() ?? ""} – ${this.words.textTime}`;
    this.time = make("input", { class: "form-control k-time", type: "text", inputmode: "numeric", autocomplete: "off", dir: "ltr", placeholder: local("09:00"), "aria-label": label, maxlength: 5 });
    this.time.addEventListener("change", () => this.read());
    this.button.parentElement.after(this.time);
    this.toggleAttribute("data-pair", true);
  }

  /** Show what would be sent. */
  display() {
    const [day, time = ""] = this.sent.value.split("T");
    const known = parse(day);
    this.input.value = known ? short(this.calendar, known) : this.sent.value;
    if (this.time) this.time.value = local(time.slice(0, 5));
  }

  /** Take what was typed; what is no date is sent as it is, so that the server can refuse it. */
  read() {
    const text = this.input.value.trim();
    const day = text ? parse(text) : "";
    const time = this.time ? parseTime(this.time.value) : "";
    const right = day !== undefined && time !== undefined;
    this.complain(!right);
    if (!right) {
      this.sent.value = [text, this.time?.value.trim()].filter(Boolean).join(" ");
    } else {
      if (day && this.time && !time) this.time.value = local("09:00");
      this.sent.value = day && this.time ? `${day}T${time || "09:00"}` : day;
      this.display();
    }
    this.sent.dispatchEvent(new Event("change", { bubbles: true }));
  }

  complain(wrong) {
    this.wrong.hidden = !wrong;
    this.wrong.textContent = wrong ? fill(this.words.textWrong, { example: short(this.calendar, today()) + (this.time ? local(" 14:30") : "") }) : "";
    for (const input of [this.input, this.time]) {
      input?.classList.toggle("is-invalid", wrong);
      input?.toggleAttribute("aria-invalid", wrong);
    }
  }

  open() {
    this.popup ??= new DatePopup(this);
    if (!this.popup.box.isConnected) this.append(this.popup.box);
    this.popup.open(this.input, parse(this.sent.value.slice(0, 10)));
    this.outside ??= (event) => {
      if (!this.contains(event.target)) this.dismiss(false);
    };
    document.addEventListener("pointerdown", this.outside);
  }

  choose(day) {
    this.input.value = short(this.calendar, day);
    this.dismiss(true);
    this.read();
  }

  clear() {
    this.input.value = "";
    if (this.time) this.time.value = "";
    this.dismiss(true);
    this.read();
  }

  dismiss(giveBack) {
    this.popup.close();
    document.removeEventListener("pointerdown", this.outside);
    if (giveBack) this.input.focus();
  }
}

customElements.define("daftar-date", DateField);
