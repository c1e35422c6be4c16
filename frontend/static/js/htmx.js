// Fetch htmx only where a page asks for it, so that reading pages carry no library.
// It starts by itself only before DOMContentLoaded or after load, hence the wait.
{
  const source = document.currentScript.dataset.htmx;
  const start = () => {
    if (!document.querySelector("[hx-get],[hx-post],[hx-put],[hx-patch],[hx-delete],[hx-boost]")) return;
    const script = document.createElement("script");
    script.src = source;
    document.head.append(script);
  };
  if (document.readyState === "complete") start();
  else window.addEventListener("load", start);
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.verb !== "get" && token) event.detail.headers["X-CSRF-Token"] = token;
  });
}
