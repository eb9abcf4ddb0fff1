// How large an enlarged picture becomes: arithmetic only. The server's rule: floor(x + 0.5).
const CM_PER_INCH = 2.54;
const MOST_RESULT_PX = 400_000_000; // the server's limit for a job
const LONGEST_PX = { jpg: 65_535, webp: 16_383, avif: 16_384 }; // of a side, by the format
export const FEW_DPI = 150; // below this, detail at reading distance is not from the original

const rounded = (length) => Math.max(1, Math.floor(length + 0.5));
const isSize = (value) => Number.isFinite(value) && value > 0;

/**
 * wanted: {how: "times", times} | {how: "pixels", width, height} (one may be missing)
 * | {how: "print", width, height, unit, dpi, fill}. Null where that is no size; otherwise the size
 * in px, the query for the server and, of a print, how many original px there are to an inch.
 */
export function planned(picture, wanted) {
  const { width, height } = picture;
  if (wanted.how === "times") {
    const { times } = wanted;
    if (!isSize(times)) return null;
    return sized(picture, width * times, height * times, { scale: times });
  }
  if (wanted.how === "pixels") {
    const query = {};
    if (isSize(wanted.width)) query.width = Math.round(wanted.width);
    if (isSize(wanted.height)) query.height = Math.round(wanted.height);
    const ratios = [query.width / width, query.height / height].filter(isSize);
    if (!ratios.length) return null;
    const times = Math.min(...ratios);
    return sized(picture, width * times, height * times, query);
  }
  const { unit, dpi, fill } = wanted;
  if (![wanted.width, wanted.height, dpi].every(isSize)) return null;
  const perInch = unit === "cm" ? CM_PER_INCH : 1;
  const box = [(wanted.width / perInch) * dpi, (wanted.height / perInch) * dpi];
  const ratios = [box[0] / width, box[1] / height];
  const times = fill ? Math.max(...ratios) : Math.min(...ratios);
  const query = { print_size: `${wanted.width}x${wanted.height}${unit}@${dpi}dpi` };
  if (fill) query.fill = true;
  const size = fill ? box : [width * times, height * times];
  return { ...sized(picture, ...size, query, times), sourceDpi: dpi / times };
}

function sized(picture, width, height, query, times = width / picture.width) {
  return { width: rounded(width), height: rounded(height), times, query };
}

/** How many times larger the server makes a picture; mostTimes: its networks, after one another. */
export function largest(picture, mostTimes) {
  const byPixels = Math.sqrt(MOST_RESULT_PX / (picture.width * picture.height));
  const most = Math.min(byPixels, picture.max_scale ? mostTimes : 1);
  const steps = most < 10 ? 100 : 10;
  return Math.max(1, Math.floor(most * steps)) / steps;
}

/**
 * Why the server would refuse a plan, as a key of words and its parts; null where it would not.
 */
export function refusal(picture, plan, mostTimes, format) {
  const { width, height } = picture;
  const across = rounded(width * plan.times) / width;
  const factor = Math.max(across, rounded(height * plan.times) / height);
  const most = largest(picture, mostTimes);
  if (factor > 1 && !picture.max_scale) return { key: "download.refused.original" };
  if (plan.width * plan.height > MOST_RESULT_PX) {
    return { key: "download.refused.pixels", megapixels: MOST_RESULT_PX / 1e6, most };
  }
  if (factor > mostTimes) return { key: "download.refused.times", most };
  if (Math.max(plan.width, plan.height) > LONGEST_PX[format]) {
    return { key: "download.refused.side", px: LONGEST_PX[format] };
  }
  return null;
}
