// Dragging cards of a board with SortableJS.
import Sortable from "sortablejs/modular/sortable.core.esm.js";

/** Let the cards of every column be dragged to every column. */
export function allowDragging(board) {
  let origin;
  for (const column of board.columns) {
    if (Sortable.get(column)) continue;
    Sortable.create(column, {
      group: board.id,
      draggable: "[data-card]",
      filter: "[data-fixed]",
      preventOnFilter: false,
      animation: 140,
      delay: 180,
      delayOnTouchOnly: true,
      ghostClass: "k-card-ghost",
      dragClass: "k-card-drag",
      scroll: true,
      scrollSensitivity: 80,
      forceFallback: true,
      fallbackTolerance: 4,
      onStart: ({ item }) => { origin = board.placeOf(item); },
      onEnd: ({ item, from, to, oldIndex, newIndex }) => {
        if (from !== to || oldIndex !== newIndex) board.send(item, origin);
      },
    });
  }
}
