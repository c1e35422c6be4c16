// After a swap: say what changed, move the focus to an error summary, own up when the network fails.
{
  const live = document.getElementById("live");
  const say = (text) => {
    if (live && text) live.textContent = text;
  };
  const failed = (text) => {
    say(text);
    live?.classList.remove("hide");
    live?.classList.add("failed");
  };
  document.addEventListener("htmx:afterSettle", (event) => {
    const target = event.detail.elt;
    target.querySelector("[data-focus]")?.focus();
    say(target.querySelector("[data-announce]")?.textContent.trim());
  });
  document.addEventListener("htmx:beforeRequest", () => {
    live?.classList.remove("failed");
    live?.classList.add("hide");
  });
  document.addEventListener("htmx:sendError", () => failed(live?.dataset.offline));
  document.addEventListener("htmx:timeout", () => failed(live?.dataset.offline));
  document.addEventListener("htmx:responseError", () => failed(live?.dataset.failed));
}
