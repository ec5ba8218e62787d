// The geometry of the grid of photos: where its rows, headings and rules are. Lengths are in pixels.
const GAP = 4; // between photos
const BLOCK_GAP = 18; // between days that stand next to each other
const ABOVE_HEADING = 18;
const HEADING = 20; // as in search.css
const BELOW_HEADING = 10;
const ABOVE_RULE = 30; // the rule above photos that are less alike

// Returns the strips from top to bottom, the rows for the arrow keys, the row of each photo, and the height.
// A strip is a row of tiles, a heading, or a rule. A tile has its photo, the index of it, its left edge and its width.
export function layOut(items, width, height, squares) {
  const layout = { strips: [], rows: [], rowOf: [], height: 0 };
  if (!width) return layout;
  const blocks = listBlocks(items);
  for (const block of blocks) {
    block.rows = squares ? arrangeSquares(block.members, width, height) : arrangeJustified(block.members, width, height);
    block.width = block.rows.length === 1 ? measure(block.rows[0]) : 0; // 0: the whole width
  }
  for (const line of listLines(blocks, width)) addLine(layout, line, width);
  return layout;
}

// Photos that belong together: those of one day, or those that fit, or those that are less alike.
function listBlocks(items) {
  const blocks = [];
  const keys = new Set();
  let last = null;
  items.forEach((item, index) => {
    const name = item.section ? item.section : item.fits ? "" : "less alike";
    if (!blocks.length || last !== name) {
      last = name;
      const isApart = !item.section && !item.fits && blocks.length > 0;
      // the same day can come again after others, in answers of several parts
      const key = keys.has(name) ? name + " " + blocks.length : name;
      keys.add(key);
      blocks.push({ key, lessAlike: isApart, isDay: Boolean(item.section), heading: item.section || (isApart ? "Less alike" : ""), members: [] });
    }
    blocks.at(-1).members.push({ item, index });
  });
  return blocks;
}

// Days with few photos stand next to each other.
function listLines(blocks, width) {
  const lines = [];
  let used = 0;
  for (const block of blocks) {
    const isSmall = block.width > 0 && block.isDay;
    if (isSmall && used > 0 && used + BLOCK_GAP + block.width <= width) {
      lines.at(-1).push(block);
      used += BLOCK_GAP + block.width;
    } else {
      lines.push([block]);
      used = isSmall ? block.width : 0;
    }
  }
  return lines;
}

function addLine(layout, line, width) {
  const isFirst = layout.height === 0;
  const { lessAlike } = line[0];
  let top = layout.height + (isFirst ? 0 : GAP);
  if (lessAlike) {
    top += ABOVE_RULE;
    layout.strips.push({ key: "rule " + line[0].key, isRule: true, top, left: 0, width, height: 1 });
    top += 1;
  }
  const hasHeading = line.some((block) => block.heading);
  if (hasHeading && !isFirst) top += ABOVE_HEADING;
  const below = hasHeading ? top + HEADING + BELOW_HEADING : top;
  let left = 0;
  for (const block of line) {
    const shared = { left, width: block.width || width, lessAlike };
    if (block.heading) {
      const text = { heading: block.heading, count: block.members.length };
      layout.strips.push({ key: "heading " + block.key, ...shared, ...text, top, height: HEADING });
    }
    let y = below;
    for (const row of block.rows) {
      layout.strips.push({ key: row.tiles[0].item.id, ...shared, top: y, height: row.height, tiles: row.tiles });
      addRow(layout, row, y, left);
      layout.height = Math.max(layout.height, y + row.height);
      y += row.height + GAP;
    }
    left += shared.width + BLOCK_GAP;
  }
}

// Blocks of one line share a row for the arrow keys.
function addRow(layout, row, top, left) {
  if (layout.rows.at(-1)?.top !== top) layout.rows.push({ top, places: [] });
  for (const tile of row.tiles) {
    layout.rows.at(-1).places.push({ index: tile.index, middle: left + tile.left + tile.width / 2 });
    layout.rowOf[tile.index] = layout.rows.length - 1;
  }
}

// Returns the index of the photo above or below another, the nearest by its middle; null at the end of the grid.
export function findInNextRow(layout, index, step) {
  const own = layout.rows[layout.rowOf[index]].places.find((place) => place.index === index);
  const next = layout.rows[layout.rowOf[index] + step];
  if (!next) return null;
  const distance = (place) => Math.abs(place.middle - own.middle);
  return next.places.reduce((best, one) => (distance(one) < distance(best) ? one : best)).index;
}

function measure(row) {
  const last = row.tiles.at(-1);
  return Math.ceil(last.left + last.width);
}

function makeRow(members, height, getWidth) {
  let left = 0;
  const tiles = members.map((member) => {
    const tile = { ...member, left, width: getWidth(member.item) };
    left += tile.width + GAP;
    return tile;
  });
  return { height, tiles };
}

function arrangeSquares(members, width, height) {
  const columns = Math.max(2, Math.round((width + GAP) / (height + GAP)));
  const side = (width - GAP * (columns - 1)) / columns;
  const rows = [];
  for (let i = 0; i < members.length; i += columns) rows.push(makeRow(members.slice(i, i + columns), side, () => side));
  return rows;
}

// Rows of photos with their own aspects, each as wide as the grid; the last one can be shorter.
function arrangeJustified(members, width, height) {
  const rows = [];
  let row = [];
  let aspects = 0;
  const finish = (rowHeight) => {
    rows.push(makeRow(row, rowHeight, (item) => Math.max(24, item.aspect * rowHeight)));
    row = [];
    aspects = 0;
  };
  for (const member of members) {
    row.push(member);
    aspects += member.item.aspect;
    const fitting = (width - GAP * (row.length - 1)) / aspects;
    if (fitting <= height * 1.15) finish(Math.floor(fitting * 100) / 100);
  }
  if (row.length) finish(Math.min(height, (width - GAP * (row.length - 1)) / aspects));
  return rows;
}
