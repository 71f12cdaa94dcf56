// Before the first paint, so that nobody is dazzled: the theme chosen here, or the system's.
(function () {
  var chosen = null;
  try {
    chosen = JSON.parse(localStorage.getItem("waypost.preferences") || "{}").theme;
  } catch (error) {
    chosen = null;
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
