// Before anything is drawn: language and theme, so that nothing flashes.
(() => {
  const cookie = (name) => new RegExp(`(?:^|; )${name}=(light|dark)`).exec(document.cookie)?.[1];
  const preferred = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const chosen = cookie("csms_theme");
  const theme = chosen || preferred;
  const told = chosen || cookie("csms_scheme") || "light";
  document.documentElement.dataset.theme = theme;
  document.cookie = `csms_scheme=${theme}; path=/; max-age=31536000; samesite=strict`;
  // The server has coloured charts as it was told; once is enough, unless cookies are refused.
  if (theme !== told && cookie("csms_scheme") === theme) location.reload();
})();
