// Light or dark, before the first paint. Runs blocking in <head>; keep it small.
const system = matchMedia("(prefers-color-scheme: dark)");
const stored = () => {
  const found = document.cookie.match(/(?:^|; )daftar_theme=(light|dark)/);
  return found && found[1];
};
const show = () => {
  document.documentElement.dataset.bsTheme = stored() || (system.matches ? "dark" : "light");
};

show();
system.addEventListener("change", show);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const next = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `daftar_theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  show();
});
