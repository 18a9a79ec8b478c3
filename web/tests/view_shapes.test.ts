import { describe, expect, it } from "vitest";
import { isInside } from "../src/maps/polygon";
import { slotSize } from "../src/view/atlas";
import { ellipseOf } from "../src/view/ellipse";
import { Detail, pointStyle, thumbnailSide } from "../src/view/point_style";
import { rgbOf, withAlpha } from "../src/view/theme";
import { tickLabel, ticks } from "../src/view/ticks";

describe("polygon", () => {
  it("knows inside from outside of a concave one", () => {
    const arrow = [0, 0, 4, 0, 4, 4, 2, 1];
    expect(isInside(arrow, 3, 1)).toBe(true);
    expect(isInside(arrow, 2, 2)).toBe(false);
    expect(isInside(arrow, -1, 0.5)).toBe(false);
    expect(isInside([], 0, 0)).toBe(false);
  });

  it("has the axes of a turned ellipse", () => {
    const angle = 0.7;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const ellipse = ellipseOf([9 * c * c + s * s, 8 * c * s, 9 * s * s + c * c]);
    expect(ellipse).toEqual({
      major: expect.closeTo(3),
      minor: expect.closeTo(1),
      angle: expect.closeTo(angle),
    });
    expect(ellipseOf([1, 0, 4])).toEqual({
      major: 2,
      minor: 1,
      angle: expect.closeTo(Math.PI / 2),
    });
    expect(ellipseOf([0, 0, 0])).toMatchObject({ major: 0, minor: 0 });
  });
});

describe("ticks", () => {
  it.each([
    [-3.2, 4.1, 7, ["−3", "−2", "−1", "0", "1", "2", "3", "4"]],
    [0.11, 0.49, 4, ["0.2", "0.3", "0.4"]],
    [-0.05, 0.06, 2, ["−0.05", "0.00", "0.05"]],
    [1000, 7200, 3, ["2000", "4000", "6000"]],
  ])("between %d and %d are round", (low, high, wanted, labels) => {
    const { values, digits } = ticks(low, high, wanted);
    expect(values.map((value) => tickLabel(value, digits))).toEqual(labels);
  });

  it("are none where there is no room", () => {
    expect(ticks(1, 1, 5).values).toEqual([]);
    expect(ticks(0, 1, 0).values).toEqual([]);
  });
});

describe("points", () => {
  it("grow with the zoom but slower, and thin out where they are dense", () => {
    const styles = [0.3, 1, 3, 10, 30, 100].map(pointStyle);
    for (let i = 1; i < styles.length; i++) {
      expect(styles[i].diameter).toBeGreaterThanOrEqual(styles[i - 1].diameter);
      expect(styles[i].opacity).toBeGreaterThanOrEqual(styles[i - 1].opacity);
    }
    expect(styles[3].diameter / styles[2].diameter).toBeLessThan(10 / 3);
    expect(pointStyle(0).opacity).toBeGreaterThan(0.2);
  });

  it("become pictures only far enough apart", () => {
    expect(thumbnailSide(5)).toBe(0);
    expect(thumbnailSide(1000)).toBe(64);
  });

  it("are fewer while frames are slow, all of them again when fast, and never too few", () => {
    const detail = new Detail(200000);
    for (let i = 0; i < 50; i++) detail.record(120);
    expect(detail.most).toBe(20000);
    for (let i = 0; i < 50; i++) detail.record(30);
    expect(detail.most).toBe(20000);
    for (let i = 0; i < 50; i++) detail.record(16.7);
    expect(detail.most).toBe(200000);
    const small = new Detail(5000);
    small.record(500);
    expect(small.most).toBe(5000);
    expect(new Detail(0).most).toBe(0);
  });
});

describe("an atlas", () => {
  it("halves pictures until all go into one texture", () => {
    expect(slotSize(28, 28, 400)).toEqual([28, 28]);
    const [width, height] = slotSize(512, 256, 1000);
    expect(Math.floor(4096 / width) * Math.floor(4096 / height)).toBeGreaterThanOrEqual(1000);
    expect([width, height]).toEqual([128, 64]);
  });
});

describe("colours", () => {
  it("are read and made clear", () => {
    expect(rgbOf("#ff8000")).toEqual([1, 128 / 255, 0]);
    expect(withAlpha("#123456", 0.5)).toBe("#12345680");
    expect(withAlpha("#123456", 7)).toBe("#123456ff");
  });
});
