(() => {
  // Blanks the text nodes that nobody sees, and gives the text of the rest.
  const clear = color => /^(rgba\(.*, 0(\.0\d*)?\)|.*\/ 0\))$/.test(color);

  const boxOf = element => {
    while (element && getComputedStyle(element).display === "contents") {
      element = element.parentElement;
    }
    return element;
  };

  // What may keep a text from being seen where it stands.
  const clipped = element => {
    for (; element; element = element.parentElement) {
      const style = getComputedStyle(element);
      if (style.overflow !== "visible" || style.clip !== "auto" || style.clipPath !== "none") {
        return true;
      }
    }
    return false;
  };

  const visible = node => {
    const parent = node.parentElement, box = boxOf(parent);
    if (!box || !box.checkVisibility({opacityProperty: true})) {
      return false;
    }
    const style = getComputedStyle(parent);
    if (style.visibility !== "visible" || clear(style.webkitTextFillColor)) {
      return false;
    }
    const range = document.createRange();
    range.selectNodeContents(node);
    const large = [...range.getClientRects()].filter(r => r.width >= 2 && r.height >= 2.5);
    if (large.length === 0) {
      return false;
    }
    return large.some(r => {
      const x = r.left + r.width / 2, y = r.top + r.height / 2;
      if (x < 0 || y < 0 || x > 5000 || y > 5000) {
        return false;
      }
      if (x > innerWidth || y > innerHeight || !clipped(parent)) {
        return true;
      }
      return document.elementsFromPoint(x, y).some(e => e === parent || parent.contains(e) || e === box);
    });
  };

  const nodes = [];
  const walk = document.createNodeIterator(document, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    if (node.parentElement && node.nodeValue.trim() && !node.parentElement.closest("select, script, style, title") && !visible(node)) {
      nodes.push(node);
    }
  }
  for (const node of nodes) {
    node.nodeValue = "";
  }
  return document.documentElement.innerText;
})()
