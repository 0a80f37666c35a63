// <daftar-select>: a select one can search in, here or on the server. Tom Select is fetched when a page has one.
import { make } from "./dom.js";

class Select extends HTMLElement {
  async connectedCallback() {
    const field = this.querySelector("select");
    if (!field || this.box) return;
    const { default: TomSelect } = await import("./tom-select.js");
    if (!field.isConnected || field.tomselect) return;
    const { placeholder } = field.dataset;
    this.box = new TomSelect(field, this.settings(placeholder, field.multiple));
    // What people use from here on is the box; the select only carries the value.
    field.setAttribute("aria-hidden", "true");
    this.box.control_input.setAttribute("aria-labelledby", `${field.id}-label`);
    const described = field.getAttribute("aria-describedby");
    if (described) this.box.control_input.setAttribute("aria-describedby", described);
  }

  disconnectedCallback() {
    this.box?.destroy();
    this.box = undefined;
  }

  settings(placeholder, multiple) {
    const { url, textNone, textCreate, textRemove, textLoading } = this.dataset;
    const say = (className, text) => make("div", { class: className }, text);
    return {
      placeholder,
      plugins: multiple ? { remove_button: { title: textRemove } } : {},
      valueField: "value",
      labelField: "text",
      searchField: url ? [] : ["text", "hint"],
      // Values that come from the server are ids, so a new word is marked as one.
      create: "create" in this.dataset && (url ? (text) => ({ value: `new:${text}`, text }) : true),
      maxOptions: 100,
      // Who types fast and presses Enter must not get what answered fewer letters.
      refreshThrottle: url ? 300 : 0,
      preload: url ? "focus" : false,
      closeAfterSelect: !multiple,
      allowEmptyOption: false,
      load: url ? (query, done) => this.load(url, query, done) : undefined,
      shouldLoad: () => true,
      // While the server searches, what it found for other words is no answer.
      ...(url ? { score: (query) => ({ value }) => Number(query === this.answered && this.found.has(value)) } : {}),
      render: {
        option: (item) => make("div", {}, make("bdi", {}, item.text), ...(item.hint ? [make("span", { class: "k-sub" }, item.hint)] : [])),
        item: (item) => make("div", {}, make("bdi", {}, item.text)),
        option_create: (item) => make("div", { class: "create" }, `${textCreate}: `, make("strong", {}, item.input)),
        no_results: () => say("no-results", textNone),
        loading: () => say("no-results", textLoading),
      },
    };
  }

  async load(url, query, done) {
    const address = new URL(url, location.href);
    address.searchParams.set("q", query);
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      const found = await answer.json();
      if (!answer.ok || query !== this.box.inputValue()) throw new Error("of no use any more");
      this.answered = query;
      this.found = new Set(found.map(({ value }) => value));
      this.box.clearOptions((option) => this.box.items.includes(option.value));
      done(found);
    } catch {
      delete this.box.loadedSearches[query]; // so that it is asked for again
      done([]);
    }
  }
}

customElements.define("daftar-select", Select);
