import { compile, type Program, type Projection } from "./gl";
import { ROUND_FROM } from "./point_style";
import { ROUND_POINTS, SQUARE_POINTS } from "./shaders";

export interface PointsFrame {
  projection: Projection;
  progress: number; // of the way from `origin` to the positions
  diameter: number; // device pixels
  opacity: number;
  /** Of the points that are not selected, on top of `opacity`; 1 where nothing is selected. */
  dim: number;
  /** Of all points, a fair sample: in (0, 1]. */
  share: number;
}

/** The dots. Holds nothing but GPU buffers: after a lost context make a new one and set all again. */
export class PointsLayer {
  private readonly round: Program;
  private readonly square: Program;
  private readonly array: WebGLVertexArrayObject;
  private readonly positions: WebGLBuffer;
  private readonly origins: WebGLBuffer;
  private readonly colors: WebGLBuffer;
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
    this.colors = gl.createBuffer();
    this.order = gl.createBuffer();
    this.chosen = gl.createBuffer();
    gl.bindVertexArray(this.array);
    this.attribute(0, this.positions, 2, gl.FLOAT, false);
    this.attribute(2, this.colors, 4, gl.UNSIGNED_BYTE, true);
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
    this.attribute(1, this.origins, 2, gl.FLOAT, false);
  }

  setColors(rgba: Uint8Array): void {
    this.upload(this.gl.ARRAY_BUFFER, this.colors, rgba);
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
    this.drawRows(
      this.order,
      Math.ceil(this.count * frame.share),
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

  private attribute(
    location: number,
    buffer: WebGLBuffer,
    size: number,
    type: number,
    normalized: boolean,
  ): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, type, normalized, 0, 0);
  }

  private upload(
    target: number,
    buffer: WebGLBuffer,
    data: Float32Array | Uint8Array | Uint32Array,
  ): void {
    const { gl } = this;
    gl.bindVertexArray(this.array); // an element buffer belongs to the array that is bound
    gl.bindBuffer(target, buffer);
    gl.bufferData(target, data, gl.DYNAMIC_DRAW);
  }
}
