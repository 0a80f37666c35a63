// Finding and making elements.

/** Call once as soon as the page, now or after a swap, has an element that matches. */
export function whenPresent(selector, callback) {
  const look = () => {
    if (!document.querySelector(selector)) return false;
    document.removeEventListener("htmx:load", look);
    callback();
    return true;
  };
  if (!look()) document.addEventListener("htmx:load", look);
}

/** Call the handler for events of elements that match, wherever they come from. */
export function on(type, selector, handler) {
  document.addEventListener(type, (event) => {
    const element = event.target instanceof Element && event.target.closest(selector);
    if (element) handler(event, element);
  });
}

/** Make an element with attributes and children; false attributes are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** Make an icon of the sprite. */
export function icon(name, size = "md") {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", `k-icon k-icon-${size}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(namespace, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

export const isRtl = () => document.documentElement.dir === "rtl";

/** Fill __name__ places of a translated sentence. */
export const fill = (sentence, values) =>
  sentence.replace(/__(\w+?)__/g, (whole, name) => (name in values ? values[name] : whole));
