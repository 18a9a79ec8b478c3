import { compile, type Program } from "./gl";
import { RASTER } from "./shaders";

/** A picture that fills the whole map. */
export class RasterLayer {
  private readonly program: Program;
  private readonly array: WebGLVertexArrayObject;
  private readonly texture: WebGLTexture;
  private size = "";

  constructor(private readonly gl: WebGL2RenderingContext) {
    this.program = compile(gl, RASTER);
    this.array = gl.createVertexArray();
    this.texture = gl.createTexture();
  }

  /** @param isExact whether each of its pixels is one of the canvas */
  draw({ width, height, data }: ImageData, isExact: boolean): void {
    const { gl } = this;
    gl.bindVertexArray(this.array);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false); // the shader does it
    const size = `${width},${height},${isExact}`;
    if (size !== this.size) {
      this.size = size;
      const filter = isExact ? gl.NEAREST : gl.LINEAR;
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, filter);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, filter);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, data);
    } else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, data);
    gl.useProgram(this.program.program);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }
}
