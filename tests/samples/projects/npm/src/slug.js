// Turns titles into the last part of an address.

/** Small letters, digits and single hyphens; none at the ends. */
export function slug(title) {
  // FIXME: letters with accents are dropped instead of written without them
  return title.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/-$/, '');
}

/** A slug that none of `taken` is. */
export function fresh(title, taken) {
  const wanted = slug(title);
  for (let n = 1; ; n++) {
    const tried = n === 1 ? wanted : `${wanted}-${n}`;
    if (!taken.includes(tried)) return tried;
  }
}
