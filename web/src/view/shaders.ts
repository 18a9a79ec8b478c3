const POINT_VERTEX = `#version 300 es
layout(location = 0) in vec2 position; // data
layout(location = 1) in vec2 origin;   // clip space: where the point comes from
layout(location = 2) in uint code;     // of the colour
uniform sampler2D palette;
uniform vec2 centre;
uniform vec2 perUnit;
uniform float progress;
uniform float diameter;
uniform float opacity;
flat out vec4 tint;
void main() {
  vec2 clip = (position - centre) * perUnit;
  if (progress < 1.0) clip = mix(origin, clip, progress);
  gl_Position = vec4(clip, 0.0, 1.0);
  gl_PointSize = diameter;
  vec4 color = texelFetch(palette, ivec2(int(code & 255u), int(code >> 8u)), 0);
  float alpha = color.a * opacity;
  tint = vec4(color.rgb * alpha, alpha);
}`;

const ROUND_FRAGMENT = `#version 300 es
precision highp float;
uniform float diameter;
flat in vec4 tint;
out vec4 result;
void main() {
  float outside = (length(gl_PointCoord - 0.5) - 0.5) * diameter;
  result = tint * clamp(0.5 - outside, 0.0, 1.0);
}`;

const SQUARE_FRAGMENT = `#version 300 es
precision mediump float;
flat in vec4 tint;
out vec4 result;
void main() { result = tint; }`;

/** Dots large enough to be seen as round. */
export const ROUND_POINTS = { vertex: POINT_VERTEX, fragment: ROUND_FRAGMENT };
/** Dots so small that nobody sees the corners; a software renderer draws them much faster. */
export const SQUARE_POINTS = { vertex: POINT_VERTEX, fragment: SQUARE_FRAGMENT };

/** A picture that fills the whole canvas, its first row at the top. */
export const RASTER = {
  vertex: `#version 300 es
out vec2 texel;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  texel = vec2(corner.x, 1.0 - corner.y);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`,
  fragment: `#version 300 es
precision mediump float;
uniform sampler2D picture;
in vec2 texel;
out vec4 result;
void main() {
  vec4 color = texture(picture, texel);
  result = vec4(color.rgb * color.a, color.a);
}`,
};

/** Pictures from an atlas: rectangles half in data units, half in pixels, with an optional frame. */
export const PICTURES = {
  vertex: `#version 300 es
layout(location = 0) in vec4 place; // centre and half size, data
layout(location = 1) in vec4 cut;   // corner and size in the atlas, texels
layout(location = 2) in vec4 color; // of the frame
uniform vec2 centre;
uniform vec2 perUnit;
uniform vec2 halfPixels; // added to the half size, device pixels
uniform vec2 viewport;   // device pixels
uniform vec2 atlasSize;
out vec2 texel;
out vec2 offset;         // from the centre, device pixels
flat out vec2 halfSize;
flat out vec4 bounds;
flat out vec4 tint;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;
  halfSize = place.zw * perUnit * viewport * 0.5 + halfPixels;
  offset = corner * halfSize;
  vec2 clip = (place.xy - centre) * perUnit + offset * 2.0 / viewport;
  gl_Position = vec4(clip, 0.0, 1.0);
  texel = (cut.xy + cut.zw * vec2(corner.x + 1.0, 1.0 - corner.y) * 0.5) / atlasSize;
  // Half a texel inside, so that no neighbour of the atlas shines through.
  bounds = vec4(cut.xy + 0.5, cut.xy + cut.zw - 0.5) / atlasSize.xyxy;
  tint = color;
}`,
  fragment: `#version 300 es
precision highp float;
uniform sampler2D atlas;
uniform float frame;  // width, device pixels
uniform float corner; // radius, device pixels
uniform float opacity;
uniform vec3 paper;
in vec2 texel;
in vec2 offset;
flat in vec2 halfSize;
flat in vec4 bounds;
flat in vec4 tint;
out vec4 result;
void main() {
  vec4 picture = texture(atlas, clamp(texel, bounds.xy, bounds.zw));
  vec3 shown = picture.rgb + paper * (1.0 - picture.a);
  float cover = 1.0;
  if (frame > 0.0) { // tiles have none, and fill the whole map
    vec2 q = abs(offset) - halfSize + corner;
    float outside = length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - corner;
    shown = mix(shown, tint.rgb, clamp(outside + frame + 0.5, 0.0, 1.0));
    cover = clamp(0.5 - outside, 0.0, 1.0);
  }
  float alpha = cover * opacity * tint.a;
  result = vec4(shown * alpha, alpha);
}`,
};
