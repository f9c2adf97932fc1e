// F6 goes from one region of a window to the next, Shift+F6 back. A region is what carries `data-region`.

const FOCUSABLE = "a[href],button:not([disabled]),input:not([disabled]),select,textarea,[tabindex='0']";

/** Puts the focus into the region after (or before) the one that has it. */
export function nextRegion(step: 1 | -1): void {
    const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")].filter(shownNow);
    if (regions.length === 0) return;
    const now = regions.findIndex((region) => region.contains(document.activeElement));
    const next = now < 0 ? (step > 0 ? 0 : regions.length - 1) : (now + step + regions.length) % regions.length;
    const region = regions[next];
    if (region) enter(region);
}

/** The element that has the roving focus, or else the first one that can have it, or the region itself. */
function enter(region: HTMLElement): void {
    const within = [...region.querySelectorAll<HTMLElement>(FOCUSABLE)].filter(shownNow);
    const inside = within.find((one) => one.matches("[aria-selected='true'],[aria-current]")) ?? within[0];
    if (!inside && !region.hasAttribute("tabindex")) region.tabIndex = -1;
    (inside ?? region).focus();
}

function shownNow(element: HTMLElement): boolean {
    return element.getClientRects().length > 0;
}
