// Before anything is drawn: the light or dark that the window was opened with, so that nothing flashes.
// A file of its own, because the content security policy allows no inline script.
const scheme = new URLSearchParams(location.search).get("scheme");
if (scheme === "light" || scheme === "dark") document.documentElement.dataset.scheme = scheme;
