/** A linked program with its uniforms by name. */
export interface Program {
  program: WebGLProgram;
  uniform(name: string): WebGLUniformLocation | null;
}

export function compile(
  gl: WebGL2RenderingContext,
  source: { vertex: string; fragment: string },
): Program {
  const program = gl.createProgram();
  const kinds = [
    [gl.VERTEX_SHADER, source.vertex],
    [gl.FRAGMENT_SHADER, source.fragment],
  ] as const;
  for (const [kind, text] of kinds) {
    const shader = gl.createShader(kind);
    if (!shader) break; // only while the context is lost; it will be compiled again
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`A shader of the map does not link: ${gl.getProgramInfoLog(program)}`);
  }
  const locations = new Map<string, WebGLUniformLocation | null>();
  return {
    program,
    uniform(name) {
      let location = locations.get(name);
      if (location === undefined) {
        location = gl.getUniformLocation(program, name);
        locations.set(name, location);
      }
      return location;
    },
  };
}

/** How data becomes clip space: (position − centre) × perUnit; and the canvas in device pixels. */
export interface Projection {
  centre: [number, number];
  perUnit: [number, number];
  viewport: [number, number];
}
