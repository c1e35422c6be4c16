// Theme and elder version change at once; the form still tells the server, which sets the cookie.
for (const form of document.querySelectorAll("form[data-prefs]")) {
  form.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || (button.name !== "theme" && button.name !== "mode")) return;
    event.preventDefault();
    const value = button.name === "mode" && button.getAttribute("aria-pressed") === "true" ? "standard" : button.value;
    const body = new URLSearchParams(new FormData(form));
    body.set(button.name, value);
    fetch(form.action, { method: "POST", body, redirect: "manual" }).then(
      () => show(button.name, value),
      () => form.submit(),
    );
  });
}

function show(name, value) {
  document.documentElement.dataset[name] = value;
  if (name === "theme") {
    document.querySelector('meta[name="color-scheme"]').content = value === "auto" ? "light dark" : value;
  }
  for (const button of document.querySelectorAll(`form[data-prefs] button[name="${name}"]`)) {
    button.setAttribute("aria-pressed", String(button.value === value));
  }
}
