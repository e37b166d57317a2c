"""The renderer's two shaders (GLSL 3.30): light, texture of the ground, haze, lamps at night."""

VERTEX = """
#version 330
uniform mat4 view; uniform mat4 model; uniform int kind; uniform vec3 sun; uniform vec3 tint;
in vec3 point; in vec3 normal; in vec3 tone; in float paint; in float glow;
out vec3 at; out vec3 up; out vec3 base; out float surface; out float shine; out vec3 own;
void main() {
  vec4 place = model * vec4(point, 1.0);
  if (kind == 2) { place.xyz -= sun * place.z / max(sun.z, 0.15); place.z = 0.035; }
  at = place.xyz; own = point; up = mat3(model) * normal; surface = paint; shine = glow;
  base = kind == 1 ? tone : mix(tone, tint * tone, paint);
  gl_Position = view * place;
}
"""

FRAGMENT = """
#version 330
uniform vec3 sun; uniform vec3 eye; uniform int kind; uniform float night; uniform float fog; uniform float wet;
uniform float warm; uniform vec3 tint;
in vec3 at; in vec3 up; in vec3 base; in float surface; in float shine; in vec3 own;
out vec4 shown;
float dice(vec2 p) { return fract(sin(dot(p, vec2(127.1, 311.7))) * 43758.5453); }
float cloud(vec2 p) {
  vec2 i = floor(p), f = fract(p); f = f * f * (3.0 - 2.0 * f);
  return mix(mix(dice(i), dice(i + vec2(1, 0)), f.x), mix(dice(i + vec2(0, 1)), dice(i + vec2(1, 1)), f.x), f.y);
}
void main() {
  if (kind == 4) { shown = vec4(tint, 1.0); return; }
  if (kind == 2) { shown = vec4(0.03, 0.03, 0.04, 0.5 * (1.0 - night)); return; }
  if (kind == 3) {
    float near = clamp(1.0 - own.x / 14.0, 0.0, 1.0), side = clamp(1.0 - abs(own.y) / (0.6 + own.x / 7.0), 0.0, 1.0);
    shown = vec4(tint, 0.6 * near * near * min(1.0, 2.0 * side) * night); return;
  }
  vec3 colour = base; vec3 n = normalize(up); vec3 away = normalize(eye - at);
  bool is_ground = kind == 1;
  if (is_ground) {
    n = vec3(0.0, 0.0, 1.0);
    float grain = 0.05 * cloud(at.xy * 0.6) + 0.05 * cloud(at.xy * 7.0) + 0.04 * dice(floor(at.xy * 30.0));
    if (surface < 0.5) colour += grain - 0.07;
    else if (surface < 1.5) colour *= 0.75 + 0.3 * cloud(at.xy * 4.0);
    else if (surface < 2.5) colour += 0.08 * cloud(at.xy * 3.0) - 0.04;
    else colour = mix(colour, colour * vec3(1.5, 1.2, 1.1), cloud(at.xy * 0.25)) + 0.1 * cloud(at.xy * 1.3) - 0.05;
    colour *= (0.88 + 0.24 * cloud(at.xy * 0.15)) * (1.0 - 0.35 * wet);
  }
  float lit = max(dot(n, sun), 0.0) * (1.0 - 0.75 * wet);
  vec3 light = vec3(1.0, 0.96, 0.88) * vec3(1.0, mix(1.0, 0.85, 1.0 - warm), mix(1.0, 0.65, 1.0 - warm)) * lit * 0.75
             + vec3(0.75, 0.85, 1.0) * (0.45 + 0.15 * n.z);
  vec2 lamp = mod(at.xy, 34.0) - 17.0;
  vec3 dark = vec3(0.13, 0.12, 0.12) + vec3(1.0, 0.78, 0.5) * 0.5 * exp(-dot(lamp, lamp) / 140.0) * (0.6 + 0.4 * n.z);
  light = mix(light, dark, night);
  vec3 gleam = reflect(-sun, n);
  float spark = is_ground ? wet * 0.5 * pow(max(dot(gleam, away), 0.0), 8.0)
                          : 0.45 * pow(max(dot(gleam, away), 0.0), 40.0) * (1.0 - wet);
  float rim = pow(1.0 - max(dot(n, away), 0.0), 4.0) * 0.25 * (is_ground ? wet : 1.0);
  vec3 seen = colour * light + spark * (1.0 - night) + rim * vec3(0.7, 0.8, 0.9) * (1.0 - 0.85 * night);
  if (!is_ground) seen = mix(seen, base * 1.6, shine * clamp(night * 1.5, 0.0, 1.0));
  vec3 air = mix(vec3(0.72, 0.77, 0.82), vec3(0.05, 0.05, 0.07), night);
  seen = mix(seen, air, 1.0 - exp(-length(eye - at) * fog));
  shown = vec4(pow(max(seen, 0.0), vec3(1.0 / 1.15)), 1.0);
}
"""
