import type { Atlas } from "./atlas";
import { compile, type Program, type Projection } from "./gl";
import { PICTURES } from "./shaders";

/** Floats per picture: centre and half size in data units, cut of the atlas in texels. */
export const PICTURE_FLOATS = 8;

export interface PicturesFrame {
  projection: Projection;
  atlas: Atlas;
  /** (n, PICTURE_FLOATS) and one RGBA each; the colour of the frame, its alpha that of the whole. */
  places: Float32Array;
  colors: Uint8Array;
  halfPixels: [number, number]; // device pixels
  frame: number; // device pixels
  corner: number;
  opacity: number;
  paper: [number, number, number];
}

/** Thumbnails and tiles: one instanced draw of rectangles cut from an atlas. */
export class PicturesLayer {
  private readonly pictures: Program;
  private readonly array: WebGLVertexArrayObject;
  private readonly places: WebGLBuffer;
  private readonly colors: WebGLBuffer;

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.pictures = compile(gl, PICTURES);
    this.array = gl.createVertexArray();
    this.places = gl.createBuffer();
    this.colors = gl.createBuffer();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    for (const location of [0, 1]) {
      gl.enableVertexAttribArray(location);
      gl.vertexAttribPointer(location, 4, gl.FLOAT, false, 4 * PICTURE_FLOATS, 16 * location);
      gl.vertexAttribDivisor(location, 1);
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.colors);
    gl.enableVertexAttribArray(2);
    gl.vertexAttribPointer(2, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.vertexAttribDivisor(2, 1);
  }

  draw(frame: PicturesFrame): void {
    const n = frame.colors.length / 4;
    if (!n) return;
    const { gl } = this;
    const { program, uniform } = this.pictures;
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.places);
    gl.bufferData(gl.ARRAY_BUFFER, frame.places, gl.STREAM_DRAW);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.colors);
    gl.bufferData(gl.ARRAY_BUFFER, frame.colors, gl.STREAM_DRAW);
    gl.useProgram(program);
    gl.uniform2fv(uniform("centre"), frame.projection.centre);
    gl.uniform2fv(uniform("perUnit"), frame.projection.perUnit);
    gl.uniform2fv(uniform("viewport"), frame.projection.viewport);
    gl.uniform2fv(uniform("halfPixels"), frame.halfPixels);
    gl.uniform2f(uniform("atlasSize"), frame.atlas.width, frame.atlas.height);
    gl.uniform1f(uniform("frame"), frame.frame);
    gl.uniform1f(uniform("corner"), frame.corner);
    gl.uniform1f(uniform("opacity"), frame.opacity);
    gl.uniform3fv(uniform("paper"), frame.paper);
    frame.atlas.bind();
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, n);
  }
}
