"use strict";
(function () {
  const root = document.documentElement;
  root.classList.add("js");

  // The choice of colours outlives the page, where the browser lets a page keep anything.
  function remembered(theme) {
    try {
      if (theme !== undefined) localStorage.setItem("syskit-theme", theme);
      return localStorage.getItem("syskit-theme");
    } catch {
      return theme || null;
    }
  }
  const wish = remembered();
  if (wish === "dark" || wish === "light") root.dataset.theme = wish;

  document.addEventListener("DOMContentLoaded", function () {
    prepareTheme();
    prepareCharts();
    preparePrint();
    if (document.getElementById("filter")) prepareFilter();
  });

  function prepareTheme() {
    const button = document.getElementById("theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      remembered(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
  }

  function prepareCharts() {
    for (const chart of document.querySelectorAll(".chart")) {
      const readout = chart.querySelector(".readout");
      chart.querySelector("svg").addEventListener("pointerover", function (event) {
        const told = event.target.closest("a, rect");
        if (told) readout.textContent = told.querySelector("title").textContent;
      });
    }
  }

  // On paper nothing can be unfolded.
  function preparePrint() {
    let opened = [];
    addEventListener("beforeprint", function () {
      opened = [...document.querySelectorAll("details:not([open])")];
      for (const details of opened) details.open = true;
    });
    addEventListener("afterprint", function () {
      for (const details of opened) details.open = false;
    });
  }

  function prepareFilter() {
    const form = document.getElementById("filter");
    const search = document.getElementById("search");
    const owners = [...document.querySelectorAll(".owner")].map(function (article) {
      const name = article.querySelector("h3").textContent;
      const stories = [...article.querySelectorAll(".story")].map((item) => ({
        item: item,
        text: (name + " " + item.textContent).toLowerCase(),
      }));
      return { article: article, stories: stories };
    });
    const total = owners.reduce((sum, owner) => sum + owner.stories.length, 0);
    const count = (number, word) => number.toLocaleString("en") + " " + word + (number === 1 ? "" : "s");

    function allowed(name) {
      const boxes = [...form.querySelectorAll('input[name="' + name + '"]')];
      const words = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
      return (word) => !boxes.length || words.has(word);
    }

    function apply() {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      const kind = allowed("kind"), verdict = allowed("verdict"), type = allowed("owner");
      let leaks = 0, shown = 0;
      for (const { article, stories } of owners) {
        let here = 0;
        for (const { item, text } of stories) {
          const fits = type(article.dataset.owner) && kind(item.dataset.kind) &&
            verdict(item.dataset.verdict) && words.every((word) => text.includes(word));
          item.hidden = !fits;
          here += fits;
        }
        article.hidden = !here;
        leaks += here;
        shown += here > 0;
      }
      const all = leaks === total;
      document.getElementById("count").textContent = all
        ? count(total, "leak") + " of " + count(owners.length, "owner")
        : leaks.toLocaleString("en") + " of " + count(total, "leak") + ", of " +
          shown.toLocaleString("en") + " of " + count(owners.length, "owner");
      document.getElementById("none").hidden = leaks > 0;
      document.getElementById("everything").hidden = all;
    }

    function everything() {
      form.reset();
      apply();
    }

    // A link from the timeline leads to a story that the filter may hide.  What is not hidden the
    // browser itself has come to, before this is heard: the reader may be elsewhere by now.
    function reveal() {
      const target = document.getElementById(location.hash.slice(1));
      if (!target || !target.closest("[hidden]")) return;
      everything();
      target.focus({ preventScroll: true });
      target.scrollIntoView();
    }

    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(apply));
    document.getElementById("everything").addEventListener("click", () => search.focus());
    document.addEventListener("click", function (event) {
      const link = event.target.closest('a[href^="#owner-"]');
      if (link && link.getAttribute("href") === location.hash) reveal();
    });
    addEventListener("hashchange", reveal);
    addEventListener("keydown", function (event) {
      const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "checkbox";
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && form.contains(event.target)) {
        everything();
      }
    });
    document.getElementById("stories").classList.toggle("long", owners.length > 100);
    apply();
    if (location.hash.startsWith("#owner-")) reveal();
  }
})();
