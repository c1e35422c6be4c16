// Single-key shortcuts: an element with data-key="x" is pressed or focused by x, the one of the focused row first, then
// the first that is visible. The reader can switch them off (WCAG 2.1.4).
document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, select, textarea, [contenteditable]")) return;
  if (event.key === "j" || event.key === "k") return step(event, event.key === "j" ? 1 : -1);
  const selector = `[data-key="${CSS.escape(event.key)}"]`;
  const row = event.target.closest("[data-keys-row]");
  const target = [row, document].flatMap((place) => [...(place?.querySelectorAll(selector) ?? [])]).find((one) => one.checkVisibility());
  if (!target) return;
  event.preventDefault();
  if (target.matches("input, select, textarea")) target.focus();
  else target.click();
});

function step(event, by) {
  const rows = [...document.querySelectorAll("[data-keys-row]")];
  if (!rows.length) return;
  const at = rows.indexOf(event.target.closest("[data-keys-row]"));
  const next = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
  event.preventDefault();
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
