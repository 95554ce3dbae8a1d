/**
 * An expression for the page: every text whose contrast with what it stands on is under 4.5 (WCAG 2.2 §1.4.3), as
 * `element: contrast`.
 */
export const FAINT_TEXTS = `(() => {
  const colorOf = (text) => {
    const [r, g, b, alpha = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, alpha];
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ancestors = (element) => (element ? [element, ...ancestors(element.parentElement)] : []);
  const luminance = (color) => {
    const [r, g, b] = color.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1];
  const hasText = (element) =>
    element.matches('input, textarea, select') || [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const isShown = (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility === 'visible';
  return [...document.querySelectorAll('body *')].filter((element) => hasText(element) && isShown(element)).flatMap((element) => {
    const above = ancestors(element);
    const below = above.map((each) => colorOf(getComputedStyle(each).backgroundColor)).reverse().reduce((color, layer) => over(layer, color), canvas);
    const opacity = above.reduce((product, each) => product * Number(getComputedStyle(each).opacity), 1);
    const [r, g, b, alpha] = colorOf(getComputedStyle(element).color);
    const [lighter, darker] = [luminance(over([r, g, b, alpha * opacity], below)), luminance(below)].sort((one, other) => other - one);
    const contrast = (lighter + 0.05) / (darker + 0.05);
    return contrast < 4.5 ? [element.tagName + '.' + element.className + ': ' + contrast.toFixed(2)] : [];
  });
})()`;
