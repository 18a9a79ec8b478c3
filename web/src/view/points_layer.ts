import { compile, type Program, type Projection } from "./gl";
import { ROUND_FROM } from "./point_style";
import { ROUND_POINTS, SQUARE_POINTS } from "./shaders";
import type { Paint } from "./view";

/** Texels; the shader knows it too. */
const PALETTE_WIDTH = 256;

export interface PointsFrame {
  projection: Projection;
  progress: number; // of the way from `origin` to the positions
  diameter: number; // device pixels
  opacity: number;
  /** Of the points that are not selected, on top of `opacity`; 1 where nothing is selected. */
  dim: number;
  /** Points that are drawn at most: a fair sample of all. */
  most: number;
}

/** The dots. Holds nothing but GPU buffers: after a lost context make a new one and set all again. */
export class PointsLayer {
  private readonly round: Program;
  private readonly square: Program;
  private readonly array: WebGLVertexArrayObject;
  private readonly positions: WebGLBuffer;
  private readonly origins: WebGLBuffer;
  private readonly codes: WebGLBuffer;
  private readonly palette: WebGLTexture;
  private readonly order: WebGLBuffer;
  private readonly chosen: WebGLBuffer;
  private count = 0;
  private chosenCount = 0;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.round = compile(gl, ROUND_POINTS);
    this.square = compile(gl, SQUARE_POINTS);
    this.array = gl.createVertexArray();
    this.positions = gl.createBuffer();
    this.origins = gl.createBuffer();
    this.codes = gl.createBuffer();
    this.palette = gl.createTexture();
    this.order = gl.createBuffer();
    this.chosen = gl.createBuffer();
    gl.bindVertexArray(this.array);
    this.attribute(0, this.positions);
  }

  setPositions(coordinates: Float32Array): void {
    this.upload(this.gl.ARRAY_BUFFER, this.positions, coordinates);
  }

  /** Clip space (n, 2); null: points are where they are. */
  setOrigins(clip: Float32Array | null): void {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    if (!clip) return gl.disableVertexAttribArray(1);
    this.upload(gl.ARRAY_BUFFER, this.origins, clip);
    this.attribute(1, this.origins);
  }

  setColors({ codes, palette }: Paint): void {
    const { gl } = this;
    this.upload(gl.ARRAY_BUFFER, this.codes, codes);
    gl.enableVertexAttribArray(2);
    const type = codes.BYTES_PER_ELEMENT === 1 ? gl.UNSIGNED_BYTE : gl.UNSIGNED_SHORT;
    gl.vertexAttribIPointer(2, 1, type, 0, 0);
    const texels = new Uint8Array(
      4 * PALETTE_WIDTH * Math.ceil(palette.length / 4 / PALETTE_WIDTH),
    );
    texels.set(palette);
    const height = texels.length / 4 / PALETTE_WIDTH;
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    const size = [PALETTE_WIDTH, height, 0] as const;
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, ...size, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  }

  /** Rows to draw, first to last; any beginning of it is a fair sample. */
  setOrder(rows: Uint32Array): void {
    this.upload(this.gl.ELEMENT_ARRAY_BUFFER, this.order, rows);
    this.count = rows.length;
  }

  setChosen(rows: Uint32Array): void {
    this.upload(this.gl.ELEMENT_ARRAY_BUFFER, this.chosen, rows);
    this.chosenCount = rows.length;
  }

  draw(frame: PointsFrame): void {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    this.drawRows(
      this.order,
      Math.min(this.count, Math.ceil(frame.most)),
      frame,
      frame.diameter,
      frame.opacity * frame.dim,
    );
    if (this.chosenCount) {
      this.drawRows(
        this.chosen,
        this.chosenCount,
        frame,
        frame.diameter + 1,
        Math.max(0.9, frame.opacity),
      );
    }
  }

  private drawRows(
    rows: WebGLBuffer,
    count: number,
    frame: PointsFrame,
    diameter: number,
    opacity: number,
  ): void {
    if (!count) return;
    const { gl } = this;
    const isRound = diameter >= ROUND_FROM;
    const { program, uniform } = isRound ? this.round : this.square;
    gl.useProgram(program);
    gl.uniform2fv(uniform("centre"), frame.projection.centre);
    gl.uniform2fv(uniform("perUnit"), frame.projection.perUnit);
    gl.uniform1f(uniform("progress"), frame.progress);
    // One more pixel leaves room for the soft rim.
    gl.uniform1f(uniform("diameter"), isRound ? diameter + 1 : diameter);
    gl.uniform1f(uniform("opacity"), opacity);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, rows);
    gl.drawElements(gl.POINTS, count, gl.UNSIGNED_INT, 0);
  }

  private attribute(location: number, buffer: WebGLBuffer): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, 2, gl.FLOAT, false, 0, 0);
  }

  private upload(
    target: number,
    buffer: WebGLBuffer,
    data: Float32Array | Uint8Array | Uint16Array | Uint32Array,
  ): void {
    const { gl } = this;
    gl.bindVertexArray(this.array); // an element buffer belongs to the array that is bound
    gl.bindBuffer(target, buffer);
    gl.bufferData(target, data, gl.DYNAMIC_DRAW);
  }
}
