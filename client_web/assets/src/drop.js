// <daftar-drop>: a file field one can drop on; lists what was chosen and lets go of single files.
import { icon, make } from "./dom.js";
import { local } from "./digits.js";

const sizeOf = (bytes) => {
  const units = ["B", "KB", "MB", "GB"];
  const power = Math.min(Math.floor(Math.log2(bytes || 1) / 10), 3);
  return `${local((bytes / 1024 ** power).toFixed(power && bytes / 1024 ** power < 10 ? 1 : 0))} ${units[power]}`;
};

class Drop extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input[type=file]");
    this.list = this.querySelector("[data-drop-list]");
    this.input.addEventListener("change", () => this.show());
    for (const [name, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
      this.addEventListener(name, () => this.toggleAttribute("data-over", over));
    }
  }

  show() {
    const files = [...this.input.files];
    this.list.replaceChildren(...files.map((file) => this.row(file)));
    this.toggleAttribute("data-filled", files.length > 0);
  }

  row(file) {
    const label = `${this.dataset.textRemove}: ${file.name}`;
    const button = make("button", { type: "button", class: "btn k-btn k-btn-icon k-btn-ghost", "aria-label": label }, icon("x", "sm"));
    button.addEventListener("click", () => this.remove_(file));
    return make("li", {}, icon("file"), make("bdi", {}, file.name), make("span", { class: "k-sub", dir: "ltr" }, sizeOf(file.size)), button);
  }

  remove_(gone) {
    const kept = new DataTransfer();
    for (const file of this.input.files) if (file !== gone) kept.items.add(file);
    this.input.files = kept.files;
    this.show();
    this.input.focus();
  }
}

customElements.define("daftar-drop", Drop);
