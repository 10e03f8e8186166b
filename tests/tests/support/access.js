// Names, roles, references and contrast: what axe-core looks at first, for machines without it. Returns sentences.
const found = [];
const tell = (what, element) => found.push(what + ': ' + element.outerHTML.slice(0, 120));
const visible = element => element.getClientRects().length > 0 && !element.closest('[aria-hidden=true], [inert]');
const byIds = ids => ids.split(/\s+/).map(id => document.getElementById(id));
const name = element => {
  const labelled = element.getAttribute('aria-labelledby');
  const label = element.labels && element.labels.length ? element.labels[0].textContent : '';
  return (labelled ? byIds(labelled).map(e => e ? e.textContent : '').join(' ') : '') ||
    element.getAttribute('aria-label') || label || element.textContent || element.title || '';
};
const named = 'button, a[href], input, select, textarea, summary, dialog, [role=button], [role=treegrid], ' +
  '[role=listbox], [role=option], [role=combobox], [role=group], section[aria-labelledby]';
for (const element of document.querySelectorAll(named)) {
  if (visible(element) && !name(element).trim()) tell('no name', element);
}
for (const attribute of ['aria-labelledby', 'aria-controls', 'aria-activedescendant', 'aria-describedby']) {
  for (const element of document.querySelectorAll('[' + attribute + ']')) {
    if (visible(element) && byIds(element.getAttribute(attribute)).includes(null)) tell(attribute + ' leads nowhere', element);
  }
}
const ids = new Set();
for (const element of document.querySelectorAll('[id]')) {
  if (ids.has(element.id)) tell('an id twice', element);
  ids.add(element.id);
}
const parts = colour => (colour.match(/[\d.]+/g) || []).map(Number);
const luminance = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const ground = element => {
  for (let at = element; at; at = at.parentElement) {
    const colour = parts(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
};
for (const element of document.querySelectorAll('#app *')) {
  const text = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const disabled = element.closest(':disabled, [aria-disabled=true], option, title, desc');
  if (!text || !visible(element) || disabled) continue;
  const style = getComputedStyle(element);
  // Letters of the picture lie on the lanes' ground or on a pill; axe-core leaves SVG out, too.
  if (element.closest('svg') || style.visibility === 'hidden') continue;
  const [a, b] = [luminance(parts(style.color)), luminance(ground(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  if (ratio < (large ? 3 : 4.5)) tell('contrast ' + ratio.toFixed(2), element);
}
return found;
