// Keys, drawer, dialogs and the one way from a page to its server: emitEvent("act" | "search", ...).
// Nothing here makes markup from data; texts are set as text.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const remember = (name, value) => {
    document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=strict`;
  };
  const typing = (e) => /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName) || e.target.isContentEditable;

  // ---- search -------------------------------------------------------------------------------------------
  let searchTimer = 0;
  const search = () => $("dialog.search");
  const openSearch = () => {
    if (!search().open) search().showModal();
    $("#search-text").select();
    emitEvent("search", $("#search-text").value);
  };
  const choices = () => [...document.querySelectorAll("#search-found [role=option]")];
  const choose = (step) => {
    const all = choices();
    if (!all.length) return;
    const now = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const next = (now + step + all.length) % all.length;
    all.forEach((one, i) => one.setAttribute("aria-selected", String(i === next)));
    $("#search-text").setAttribute("aria-activedescendant", all[next].id);
    all[next].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("input", (e) => {
    if (e.target.id !== "search-text") return;
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => emitEvent("search", e.target.value), 120);
  });

  // ---- keys ---------------------------------------------------------------------------------------------
  document.addEventListener("keydown", (e) => {
    if ((e.key === "/" && !typing(e)) || (e.key.toLowerCase() === "k" && (e.ctrlKey || e.metaKey))) {
      e.preventDefault();
      openSearch();
    } else if (e.key === "Escape" && document.body.classList.contains("drawer-open")) {
      drawer(false);
      $("[data-drawer]").focus();
    } else if (e.target.id === "search-text") {
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        e.preventDefault();
        choose(e.key === "ArrowDown" ? 1 : -1);
      } else if (e.key === "Enter") {
        const all = choices();
        const one = all.find((each) => each.getAttribute("aria-selected") === "true") || all[0];
        if (one) location.assign(one.dataset.href);
      }
    }
  });

  // ---- drawer -------------------------------------------------------------------------------------------
  const drawer = (open) => {
    document.body.classList.toggle("drawer-open", open);
    $("[data-drawer]").setAttribute("aria-expanded", String(open));
    if (open) $(".side a").focus();
  };

  // ---- acting -------------------------------------------------------------------------------------------
  const send = (element, fields) => {
    element.setAttribute("aria-busy", "true");
    emitEvent("act", { ...element.dataset, ...fields });
  };
  const confirmed = (text, then) => {
    const dialog = $("#confirm");
    $("#confirm-text").textContent = text;
    dialog.showModal();
    dialog.onclose = () => dialog.returnValue === "yes" && then();
  };
  // What is asked of several says of how many: those ticked, or all when that box is.
  const question = (element, fields) => {
    const text = (fields.all && element.dataset.confirmAll) || element.dataset.confirm;
    const chosen = element.dataset.form && $("select[name=what]", document.getElementById(element.dataset.form));
    return text
      .replace("{picked}", [].concat(fields.picked || []).length)
      .replace("{what}", chosen ? chosen.selectedOptions[0].textContent : "");
  };
  const act = (element, fields = {}) => {
    if (element.getAttribute("aria-busy") === "true") return; // a double click is one command
    const go = () => send(element, fields);
    if (element.dataset.confirm) confirmed(question(element, fields), go);
    else go();
  };
  const fieldsOf = (form) => {
    const found = {};
    for (const [name, value] of new FormData(form)) {
      found[name] = name in found ? [].concat(found[name], value) : value;
    }
    return found;
  };
  window.consoleDone = () =>
    document.querySelectorAll("[aria-busy=true]").forEach((one) => one.removeAttribute("aria-busy"));

  document.addEventListener("click", (e) => {
    const on = (selector) => e.target.closest?.(selector);
    if (on("[data-search]")) openSearch();
    else if (on("[data-drawer]")) drawer(!document.body.classList.contains("drawer-open"));
    else if (on(".veil")) drawer(false);
    else if (on("[role=option]")) location.assign(on("[role=option]").dataset.href);
    else if (on("[data-language]")) {
      remember("csms_language", on("[data-language]").dataset.language);
      location.reload();
    } else if (on("[data-theme-switch]")) {
      const dark = getComputedStyle(document.documentElement).colorScheme === "dark";
      remember("csms_theme", dark ? "light" : "dark");
      location.reload();
    } else if (on("[data-all]")) {
      document.querySelectorAll("input[name=picked]").forEach((box) => (box.checked = on("[data-all]").checked));
    } else if (on("button[data-act]")) {
      const button = on("button[data-act]");
      const form = button.dataset.form && document.getElementById(button.dataset.form);
      act(button, form ? fieldsOf(form) : {});
    } else if (on("[data-save-view]")) saveView();
    else if (on("[data-drop-view]")) dropView(on("[data-drop-view]").dataset.dropView);
    else if (on("[data-print]")) window.print();
    else if (e.target.tagName === "DIALOG") e.target.close("no");
    if (on("td") && on("tr[data-href]") && !on("a, button, input, label") && !String(getSelection())) {
      location.assign(on("tr[data-href]").dataset.href);
    }
  });
  document.addEventListener("submit", (e) => {
    const form = e.target;
    if (form.dataset.act) {
      e.preventDefault();
      act(form, fieldsOf(form));
    } else if (form.method === "get") {
      // Empty filters do not clutter an address that is shared.
      for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    }
  });
  // A tile that cannot be had leaves the plain ground.
  const bare = (e) => e.target.closest?.(".tiles") && e.target.remove();
  document.addEventListener("error", bare, true);
  // A form that is drawn while it is filled in.
  document.addEventListener("change", (e) => {
    const form = e.target.form;
    if (form && form.dataset.preview) emitEvent("act", { act: form.dataset.preview, ...fieldsOf(form) });
  });
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form :disabled").forEach((field) => (field.disabled = false));
  });

  // ---- views saved in this browser ----------------------------------------------------------------------
  const place = () => "csms-views:" + location.pathname;
  const views = () => JSON.parse(localStorage.getItem(place()) || "{}");
  const showViews = () => {
    const list = $("[data-views]");
    if (!list) return;
    list.replaceChildren(
      ...Object.entries(views()).map(([name, query]) => {
        const item = document.createElement("li");
        const link = Object.assign(document.createElement("a"), { textContent: name });
        link.href = location.pathname + "?" + new URLSearchParams(query);
        const drop = Object.assign(document.createElement("button"), { textContent: "×", type: "button" });
        drop.dataset.dropView = name;
        drop.setAttribute("aria-label", `${list.dataset.drop} ${name}`);
        item.append(link, drop);
        return item;
      })
    );
  };
  const keep = (all) => {
    localStorage.setItem(place(), JSON.stringify(all));
    showViews();
  };
  const saveView = () => {
    const name = $("#view-name").value.trim();
    if (name) keep({ ...views(), [name]: location.search.slice(1) });
  };
  const dropView = (name) => {
    const all = views();
    delete all[name];
    keep(all);
  };
  // On small screens filters are behind their heading, unless some are set.
  const fold = () => {
    if (!matchMedia("(max-width: 820px)").matches) return;
    document.querySelectorAll("details.fold:not([data-used])").forEach((one) => (one.open = false));
  };
  // A map wider than the screen begins in its middle.
  const centre = () => {
    const map = $(".map")?.parentElement;
    if (map) map.scrollLeft = (map.scrollWidth - map.clientWidth) / 2;
  };
  // Charts are coloured at the server, which knows the scheme of a first visit from here only.
  const tellScheme = (drawnDark) => {
    const scheme = document.documentElement.dataset.theme;
    if ((scheme === "dark") !== drawnDark) emitEvent("scheme", scheme);
  };
  window.consoleReady = (drawnDark) => {
    showViews();
    fold();
    centre();
    tellScheme(drawnDark);
  };
})();
