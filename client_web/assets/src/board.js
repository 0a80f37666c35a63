// <daftar-board>: cards that move between columns, by pointer (board-drag.js) and by keyboard (here).
// Every move is one POST; what the server refuses goes back where it was.
import htmx from "./htmx.js";
import { fill, isRtl } from "./dom.js";
import { local } from "./digits.js";

class Board extends HTMLElement {
  connectedCallback() {
    if (this.started) return;
    this.started = true;
    this.addEventListener("keydown", (event) => this.onKey(event));
    this.addEventListener("focusout", ({ target }) => {
      if (this.lifted === target && !this.moving) this.cancel();
    });
    this.getReady();
    // A filter may have changed the columns in place.
    document.addEventListener("htmx:afterSettle", () => this.isConnected && this.getReady());
  }

  async getReady() {
    const { allowDragging } = await import("./board-drag.js");
    allowDragging(this);
    this.dataset.ready = "";
  }

  get live() {
    return this.querySelector("[data-board-live]");
  }

  get columns() {
    return [...this.querySelectorAll("[data-column]")];
  }

  /** The cards of a column, without the way to those that are not shown. */
  cardsOf(column) {
    return [...column.children].filter((each) => each.matches("[data-card]"));
  }

  say(sentence, card, column) {
    const cards = this.cardsOf(column);
    this.live.textContent = fill(this.dataset[sentence], {
      card: card.dataset.cardName,
      column: column.dataset.columnName,
      place: local(cards.indexOf(card) + 1),
      count: local(cards.length),
    });
  }

  /** Where the card is, so that it can be put back. */
  placeOf(card) {
    return { column: card.parentElement, before: card.nextElementSibling };
  }

  putBack(card, place) {
    place.column.insertBefore(card, place.before?.parentElement === place.column ? place.before : null);
  }

  onKey(event) {
    const card = event.target;
    if (!card.matches("[data-card]")) return;
    const act = this.lifted ? this.liftedKeys(event.key, card) : this.restingKeys(event.key, card);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  restingKeys(key, card) {
    const step = this.stepOf(key);
    if (key === " " && !("fixed" in card.dataset)) return () => this.lift(card);
    if (key === "Enter") return () => card.querySelector("a").click();
    if (step) return () => this.neighbour(card, step)?.focus();
    return undefined;
  }

  liftedKeys(key, card) {
    const step = this.stepOf(key);
    if (step) return () => this.shift(card, step);
    if (key === "Enter" || key === " ") return () => this.drop(card);
    if (key === "Escape") return () => this.cancel();
    return undefined;
  }

  /** [columns, cards] an arrow key moves, in reading direction. */
  stepOf(key) {
    const side = isRtl() ? -1 : 1;
    return { ArrowRight: [side, 0], ArrowLeft: [-side, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
  }

  neighbour(card, [across, along]) {
    const rank = this.cardsOf(card.parentElement).indexOf(card);
    if (along) return this.cardsOf(card.parentElement)[rank + along];
    const { columns } = this;
    for (let n = columns.indexOf(card.parentElement) + across; columns[n]; n += across) {
      const cards = this.cardsOf(columns[n]);
      if (cards.length) return cards[Math.min(rank, cards.length - 1)];
    }
    return undefined;
  }

  lift(card) {
    this.lifted = card;
    this.origin = this.placeOf(card);
    card.setAttribute("data-lifted", "");
    this.say("textLifted", card, card.parentElement);
  }

  shift(card, [across, along]) {
    const { columns } = this;
    const column = card.parentElement;
    const target = across ? columns[columns.indexOf(column) + across] : column;
    if (!target) return;
    this.moving = true;
    const cards = this.cardsOf(column);
    const rank = cards.indexOf(card);
    if (across) target.insertBefore(card, this.cardsOf(target)[rank] ?? target.querySelector("[data-before]"));
    else if (along > 0) cards[rank + 1]?.after(card);
    else cards[rank - 1]?.before(card);
    card.focus();
    this.moving = false;
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.say("textOver", card, target);
  }

  settle() {
    this.lifted?.removeAttribute("data-lifted");
    this.lifted = undefined;
  }

  drop(card) {
    const { origin } = this;
    this.settle();
    const place = this.placeOf(card);
    if (place.column === origin.column && place.before === origin.before) this.say("textCancelled", card, place.column);
    else this.send(card, origin, true);
  }

  cancel() {
    const card = this.lifted;
    this.settle();
    this.moving = true;
    this.putBack(card, this.origin);
    this.moving = false;
    card.focus();
    this.say("textCancelled", card, this.origin.column);
  }

  /** Tell the server where the card is now; on a refusal take it back to its origin. */
  async send(card, origin, keepFocus = false) {
    const { column, before } = this.placeOf(card);
    const id = card.dataset.card;
    const values = { [this.dataset.field]: column.dataset.column, before_id: before?.dataset.card ?? before?.dataset.before ?? "" };
    if (card.dataset.version) values.version = card.dataset.version;
    let refused = false;
    const watch = ({ detail }) => { refused ||= detail.elt === card && !detail.successful; };
    document.addEventListener("htmx:afterRequest", watch);
    card.setAttribute("aria-busy", "true");
    const address = this.dataset.moveUrl.replace("__id__", encodeURIComponent(id));
    await htmx.ajax("POST", address, { source: card, target: card, swap: "outerHTML", values }).catch(() => { refused = true; });
    document.removeEventListener("htmx:afterRequest", watch);
    const now = this.querySelector(`[data-card="${CSS.escape(id)}"]`) ?? card;
    now.removeAttribute("aria-busy");
    if (refused) this.putBack(now, origin);
    this.say(refused ? "textFailed" : "textDropped", now, refused ? origin.column : column);
    if (keepFocus) now.focus();
  }
}

customElements.define("daftar-board", Board);
