// The month one can walk through by keyboard, opened by <daftar-date>.
import { addDays, addMonths, clamped, short, today, weekday, write } from "./calendar.js";
import { ascii, local } from "./digits.js";
import { icon, isRtl, make } from "./dom.js";

export class DatePopup {
  /** owner: {calendar, locale, words, min, max, choose(day), clear(), dismiss()} */
  constructor(owner) {
    this.owner = owner;
    this.box = make("div", { class: "k-calendar", role: "dialog", "aria-label": owner.words.textOpen, popover: "manual" });
    this.box.append(this.head(), this.table(), this.foot());
    this.box.addEventListener("keydown", (event) => this.onKey(event));
    this.box.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.box.contains(relatedTarget)) this.owner.dismiss(false);
    });
  }

  head() {
    const { calendar, locale, words } = this.owner;
    const [year] = calendar.split(today());
    this.month = make("select", { class: "k-calendar-month", "aria-label": words.textMonth });
    for (let m = 1; m <= 12; m += 1) {
      this.month.append(make("option", { value: m }, write(calendar, calendar.join(year, m, 1), locale, { month: "long" })));
    }
    this.year = make("input", { class: "k-calendar-year", type: "text", inputmode: "numeric", maxlength: 4, "aria-label": words.textYear });
    const jump = () => {
      const [y, , d] = calendar.split(this.day);
      const wanted = Number(ascii(this.year.value));
      this.show(clamped(calendar, wanted >= 1000 && wanted <= 2999 ? wanted : y, Number(this.month.value), d));
    };
    this.month.addEventListener("change", jump);
    this.year.addEventListener("change", jump);
    return make("div", { class: "k-calendar-head" }, this.step(words.textPrevious, "chevron-left", -1), this.month, this.year, this.step(words.textNext, "chevron-right", 1));
  }

  step(label, picture, months) {
    const button = make("button", { type: "button", class: "btn k-btn k-btn-icon k-btn-ghost", "aria-label": label }, icon(picture));
    button.addEventListener("click", () => this.show(addMonths(this.owner.calendar, this.day, months)));
    return button;
  }

  table() {
    const { calendar, locale } = this.owner;
    this.body = make("tbody");
    this.body.addEventListener("click", ({ target }) => {
      const cell = target.closest("td[data-day]");
      if (cell && cell.getAttribute("aria-disabled") !== "true") this.owner.choose(cell.dataset.day);
    });
    const first = addDays(today(), -weekday(today(), locale));
    const names = Array.from({ length: 7 }, (_each, n) => {
      const day = addDays(first, n);
      return make("th", { scope: "col", abbr: write(calendar, day, locale, { weekday: "long" }) }, write(calendar, day, locale, { weekday: "narrow" }));
    });
    this.grid = make("table", { role: "grid" }, make("thead", {}, make("tr", {}, ...names)), this.body);
    return this.grid;
  }

  foot() {
    const { words } = this.owner;
    const button = (label, act) => {
      const made = make("button", { type: "button", class: "btn k-btn k-btn-ghost" }, label);
      made.addEventListener("click", act);
      return made;
    };
    return make("div", { class: "k-calendar-foot" }, button(words.textToday, () => this.owner.choose(today())), button(words.textClear, () => this.owner.clear()));
  }

  /** Open below the anchor, or above it where there is no room. */
  open(anchor, day) {
    this.chosen = day;
    this.show(day || today());
    this.box.showPopover();
    const at = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const below = at.bottom + 4 + height <= innerHeight || at.top < height;
    const start = isRtl() ? at.right - width : at.left;
    this.box.style.top = `${Math.max(4, below ? Math.min(at.bottom + 4, innerHeight - height - 4) : at.top - height - 4)}px`;
    this.box.style.left = `${Math.max(4, Math.min(start, innerWidth - width - 4))}px`;
    this.focus();
  }

  close() {
    if (this.box.matches(":popover-open")) this.box.hidePopover();
  }

  show(day) {
    const { calendar, locale } = this.owner;
    this.day = day;
    const [y, m, d] = calendar.split(day);
    this.month.value = m;
    this.year.value = local(y);
    this.grid.setAttribute("aria-label", write(calendar, day, locale, { month: "long", year: "numeric" }));
    let next = addDays(calendar.join(y, m, 1), -weekday(calendar.join(y, m, 1), locale));
    const weeks = Math.ceil((weekday(calendar.join(y, m, 1), locale) + calendar.monthLength(y, m)) / 7);
    const rows = [];
    for (let week = 0; week < weeks; week += 1) {
      const row = make("tr");
      for (let n = 0; n < 7; n += 1, next = addDays(next, 1)) row.append(this.cell(next, m, d));
      rows.push(row);
    }
    this.body.replaceChildren(...rows);
  }

  cell(day, month, focused) {
    const { calendar, locale, min, max } = this.owner;
    const [, m, d] = calendar.split(day);
    const outside = m !== month;
    return make("td", {
      role: "gridcell",
      "data-day": day,
      tabindex: !outside && d === focused ? 0 : -1,
      class: outside ? "k-outside" : undefined,
      "aria-selected": String(day === this.chosen),
      "aria-current": day === today() ? "date" : undefined,
      "aria-disabled": (min && day < min) || (max && day > max) ? "true" : undefined,
      "aria-label": write(calendar, day, locale, { weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    }, local(d));
  }

  focus() {
    this.body.querySelector('[tabindex="0"]')?.focus();
  }

  onKey(event) {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.owner.dismiss(true);
      return;
    }
    if (event.key === "Enter" && event.target === this.year) {
      event.preventDefault();
      this.year.dispatchEvent(new Event("change"));
    }
    if (!event.target.matches("td")) return;
    const moved = this.moved(event);
    if (moved) {
      event.preventDefault();
      this.show(moved);
      this.focus();
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      event.target.click();
    }
  }

  moved({ key, shiftKey }) {
    const { calendar, locale } = this.owner;
    const side = isRtl() ? -1 : 1;
    const days = { ArrowRight: side, ArrowLeft: -side, ArrowDown: 7, ArrowUp: -7 };
    if (key in days) return addDays(this.day, days[key]);
    if (key === "Home") return addDays(this.day, -weekday(this.day, locale));
    if (key === "End") return addDays(this.day, 6 - weekday(this.day, locale));
    if (key === "PageUp") return addMonths(calendar, this.day, shiftKey ? -12 : -1);
    if (key === "PageDown") return addMonths(calendar, this.day, shiftKey ? 12 : 1);
    return undefined;
  }

}
