// A password can be looked at while it is typed: a button beside the field, only where scripts run.
for (const input of document.querySelectorAll("input[data-reveal]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button button-quiet";
  button.textContent = input.dataset.reveal;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => {
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    button.setAttribute("aria-pressed", String(!shown));
  });
  input.insertAdjacentElement("afterend", button);
}
