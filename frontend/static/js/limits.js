// Count the characters left in a limited field; nothing is ever cut.
{
  const words = document.getElementById("live")?.dataset;
  document.addEventListener("input", (event) => {
    const limit = event.target.closest(".field")?.querySelector("[data-limit]");
    if (!limit || !words) return;
    const left = Number(limit.dataset.limit) - [...event.target.value].length;
    limit.textContent = `${left < 0 ? words.over : words.left} ${Math.abs(left).toLocaleString("en")} ${words.unit}`;
    limit.classList.toggle("field-over", left < 0);
  });
}
