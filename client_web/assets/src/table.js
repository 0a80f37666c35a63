// A row is a wide target for the link in it; selecting text and the controls inside stay what they are.
import { on } from "./dom.js";

const go = (event, row) => {
  if (event.target.closest("a, button, input, select, label, [role=menu]") || getSelection().toString()) return;
  const link = row.querySelector("td a");
  if (event.ctrlKey || event.metaKey || event.button === 1) window.open(row.dataset.href, "_blank", "noopener");
  else if (link) link.click();
};

on("click", "tr[data-href]", go);
on("auxclick", "tr[data-href]", (event, row) => event.button === 1 && go(event, row));
