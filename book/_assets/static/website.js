/* Prints a page, and shows the meaning of a term where it stands. Without scripts the term is a
   link to the glossary. */
"use strict";
for (const button of document.querySelectorAll("[data-print]")) {
  button.addEventListener("click", () => window.print());
}

let open = null;
let timer;
const close = () => {
  open?.hidePopover();
  open = null;
};
const box = document.getElementById("glosses");
if (box && "popover" in HTMLElement.prototype) {
  for (const gloss of box.children) gloss.popover = "manual";
  box.hidden = false;
  for (const link of document.querySelectorAll("a[data-gloss]")) {
    const gloss = document.getElementById(link.dataset.gloss);
    const show = () => {
      clearTimeout(timer);
      if (open === gloss) return;
      close();
      gloss.showPopover();
      open = gloss;
      const at = link.getClientRects()[0];
      const size = gloss.getBoundingClientRect();
      const left = Math.min(at.left, document.documentElement.clientWidth - size.width - 16);
      const below = at.bottom + 6;
      const top = below + size.height < innerHeight ? below : at.top - size.height - 6;
      gloss.style.left = `${Math.max(16, left)}px`;
      gloss.style.top = `${Math.max(6, top)}px`;
    };
    const later = () => {
      timer = setTimeout(close, 250);
    };
    link.addEventListener("focus", show);
    link.addEventListener("blur", close);
    link.addEventListener("mouseenter", show);
    link.addEventListener("mouseleave", later);
    gloss.addEventListener("mouseenter", () => clearTimeout(timer));
    gloss.addEventListener("mouseleave", later);
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  addEventListener("scroll", close, { passive: true });
}
