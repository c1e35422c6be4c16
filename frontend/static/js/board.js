// Dragging a card is an extra: it fills in and sends the card's own form, which works without it.
{
  let held = null;
  for (const card of document.querySelectorAll("[data-card]:has([data-move])")) {
    card.draggable = true;
    card.addEventListener("dragstart", () => { held = card; });
    card.addEventListener("dragend", () => { held = null; });
  }
  for (const column of document.querySelectorAll("[data-stage]")) {
    const option = () => held && [...held.querySelectorAll("option")].find((one) => one.value === column.dataset.stage);
    column.addEventListener("dragover", (event) => {
      if (!option()) return;
      event.preventDefault();
      column.classList.add("board-over");
    });
    column.addEventListener("dragleave", () => column.classList.remove("board-over"));
    column.addEventListener("drop", (event) => {
      const chosen = option();
      if (!chosen) return;
      event.preventDefault();
      chosen.selected = true;
      held.querySelector("[data-move]").requestSubmit();
    });
  }
}
