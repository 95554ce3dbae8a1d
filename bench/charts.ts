import { type CustomSeriesOption, type EChartsOption, init } from 'echarts';
import type { Spread, Table } from './part.ts';
import { formatFigure } from './report.ts';

const WIDTH = 860;
const COLORS = { own: '#1f6feb', other: '#8c959f', text: '#1f2328', line: '#d1d9e0' };

interface Point {
  name: string;
  spread: Spread;
  color: string;
}

/** A chart of the table's column as SVG; undefined where none is asked for, or there is nothing to draw. */
export function drawChart({ title, rows, chart }: Table): string | undefined {
  const points = rows.flatMap(({ name, own, figures }): Point[] => {
    const spread = figures[chart?.column ?? ''];
    return typeof spread === 'object' ? [{ name, spread, color: own ? COLORS.own : COLORS.other }] : [];
  });
  if (!chart || points.length === 0) return undefined;
  const isBars = chart.kind === 'bars';
  const height = isBars ? 80 + points.length * 28 : 360;
  const canvas = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  canvas.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'system-ui, sans-serif' },
    title: { text: `${title}: ${chart.column}`, textStyle: { fontSize: 15 }, left: 12, top: 10 },
    ...(isBars ? bars(points) : growth(points)),
  });
  const svg = canvas.renderToSVGString();
  canvas.dispose();
  return `${svg}\n`;
}

/** One under the other, so that long names stay readable. */
function bars(points: readonly Point[]): EChartsOption {
  const data = points.map(({ spread, color }) => ({ value: spread.median, itemStyle: { color } }));
  const longestName = Math.max(...points.map(({ name }) => name.length));
  return {
    grid: { left: 24 + 7 * longestName, right: 150, top: 48, bottom: 28 },
    xAxis: VALUES,
    yAxis: { ...namesOf(points), inverse: true },
    series: [{ type: 'bar', barWidth: 16, data }, spreads(points, 'bars')],
  };
}

/** From left to right: what stays level costs nothing. */
function growth(points: readonly Point[]): EChartsOption {
  const data = points.map(({ spread }) => spread.median);
  return {
    grid: { left: 70, right: 40, top: 80, bottom: 28 },
    xAxis: namesOf(points),
    yAxis: VALUES,
    series: [{ type: 'line', color: COLORS.own, symbolSize: 8, data }, spreads(points, 'growth')],
  };
}

/** A thin line from quartile to quartile, and the figure behind it or above. */
function spreads(points: readonly Point[], kind: 'bars' | 'growth'): CustomSeriesOption {
  const isBars = kind === 'bars';
  const at = (value: number, index: number) => (isBars ? [value, index] : [index, value]);
  return {
    type: 'custom',
    z: 3,
    data: points.map(({ spread }, index) => at(spread.upperQuartile, index)), // so that the axis has room for it
    renderItem({ dataIndex }, { coord }) {
      const point = points[dataIndex];
      if (!point) return null;
      const [x1 = 0, y1 = 0] = coord(at(point.spread.lowerQuartile, dataIndex));
      const [x2 = 0, y2 = 0] = coord(at(point.spread.upperQuartile, dataIndex));
      const text = { text: formatFigure(point.spread), fill: COLORS.text, fontSize: 12 };
      return {
        type: 'group',
        children: [
          { type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke: COLORS.text, lineWidth: 1.5 } },
          isBars
            ? { type: 'text', style: { ...text, x: x2 + 8, y: y2, verticalAlign: 'middle' } }
            : {
                type: 'text',
                style: { ...text, x: x2, y: y2 - 8, align: 'center', verticalAlign: 'bottom' },
              },
        ],
      };
    },
  };
}

const VALUES = { type: 'value', min: 0, splitLine: { lineStyle: { color: COLORS.line } } } as const;

function namesOf(points: readonly Point[]) {
  return {
    type: 'category' as const,
    data: points.map(({ name }) => name),
    axisTick: { show: false },
    axisLabel: { color: COLORS.text },
  };
}
