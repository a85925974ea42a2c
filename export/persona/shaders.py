"""GLSL of the head renderer.

Soft light from all around is gathered per vertex, the few key lights per pixel. Both ask
shadow maps in one atlas. The picture comes out in layers (irradiance, albedo, specular),
because light that scatters under the skin is blurred before it meets the albedo.
"""

from __future__ import annotations

AMBIENT_LIGHTS = 14
KEY_LIGHTS = 6
ATLAS_COLUMNS, ATLAS_ROWS = 5, 4

_SHADOW = f"""
uniform sampler2DShadow atlas;
float lit(mat4 to_light, vec3 place, int tile) {{
    vec3 s = (to_light * vec4(place, 1.0)).xyz * 0.5 + 0.5;
    if (min(s.x, s.y) < 0.0 || max(s.x, s.y) > 1.0) return 1.0;
    vec2 corner = vec2(float(tile % {ATLAS_COLUMNS}), float(tile / {ATLAS_COLUMNS}));
    vec2 size = vec2({ATLAS_COLUMNS}.0, {ATLAS_ROWS}.0);
    return textureLod(atlas, vec3((clamp(s.xy, 0.01, 0.99) + corner) / size, s.z - 0.006), 0.0);
}}
"""

SHADOW_VERTEX = """#version 330
in vec3 position;
in vec2 coordinate;
uniform mat4 to_light;
uniform mat3 turn;
uniform vec3 pivot;
out vec2 uv;
void main() {
    uv = coordinate;
    gl_Position = to_light * vec4(turn * (position - pivot), 1.0);
}
"""

SHADOW_FRAGMENT = """#version 330
in vec2 uv;
uniform sampler2D albedo;
uniform float least_alpha;
void main() {
    if (least_alpha > 0.0 && texture(albedo, uv).a < least_alpha) discard;
}
"""

VERTEX = f"""#version 330
in vec3 position;
in vec3 normal;
in vec2 coordinate;
uniform mat4 camera;
uniform mat3 turn;
uniform vec3 pivot;
uniform vec3 wrap;
uniform float translucency;
uniform vec3 ambient_direction[{AMBIENT_LIGHTS}];
uniform vec3 ambient_color[{AMBIENT_LIGHTS}];
uniform mat4 ambient_to_light[{AMBIENT_LIGHTS}];
{_SHADOW}
out vec3 place;
out vec3 facing;
out vec2 uv;
out vec3 ambient;
void main() {{
    place = turn * (position - pivot);
    facing = turn * normal;
    uv = coordinate;
    vec3 n = normalize(facing);
    ambient = vec3(0.0);
    for (int i = 0; i < {AMBIENT_LIGHTS}; i++) {{
        float reach = lit(ambient_to_light[i], place + n * 0.03, i);
        vec3 diffuse = clamp((dot(n, ambient_direction[i]) + wrap) / (1.0 + wrap), 0.0, 1.0);
        ambient += ambient_color[i] * diffuse * mix(translucency, 1.0, reach);
    }}
    gl_Position = camera * vec4(place, 1.0);
}}
"""

# material: 0 skin, 1 eye, 2 mouth, 3 hair, 4 brow and lash, 5 plain
FRAGMENT = f"""#version 330
in vec3 place;
in vec3 facing;
in vec2 uv;
in vec3 ambient;
uniform sampler2D albedo;
uniform int material;
uniform int transparent_pass;
uniform vec3 tint;
uniform vec3 wrap;
uniform float translucency;
uniform float roughness;
uniform float reflectance;
uniform float gloss;
uniform float relief;
uniform vec3 eye;
uniform vec3 key_direction[{KEY_LIGHTS}];
uniform vec3 key_color[{KEY_LIGHTS}];
uniform mat4 key_to_light[{KEY_LIGHTS}];
{_SHADOW}
layout(location = 0) out vec4 irradiance_out;
layout(location = 1) out vec4 albedo_out;
layout(location = 2) out vec4 specular_out;
layout(location = 3) out vec4 cover_out;

float hash(vec3 x) {{ return fract(sin(dot(x, vec3(12.9, 78.2, 37.7))) * 43758.5); }}
float noise(vec3 x) {{
    vec3 i = floor(x), f = fract(x);
    f = f * f * (3.0 - 2.0 * f);
    float sum = 0.0;
    for (int k = 0; k < 8; k++) {{
        vec3 o = vec3(k & 1, (k >> 1) & 1, k >> 2);
        vec3 w = mix(1.0 - f, f, o);
        sum += w.x * w.y * w.z * hash(i + o);
    }}
    return sum;
}}
void main() {{
    vec4 texel = texture(albedo, uv);
    bool cornea = material == 1 && texel.a < 0.5;
    if (material == 1 && cornea != (transparent_pass == 1)) discard;
    if (material == 3 && (texel.a >= 0.6) != (transparent_pass == 0)) discard;
    if (texel.a < 0.02 && (material == 3 || material == 4)) discard;

    vec3 view = normalize(eye - place);
    vec3 n = normalize(facing);
    if (material != 0 && dot(n, view) < 0.0) n = -n;
    if (relief > 0.0) {{
        vec3 q = place * 38.0;
        float n0 = noise(q);
        vec3 slope = vec3(noise(q + vec3(0.4, 0, 0)), noise(q + vec3(0, 0.4, 0)),
                          noise(q + vec3(0, 0, 0.4))) - n0;
        n = normalize(n - 2.0 * relief * slope);
    }}
    float nv = max(dot(n, view), 0.05);
    float a2 = roughness * roughness * roughness * roughness;
    float k = (roughness + 1.0) * (roughness + 1.0) / 8.0;
    vec3 irradiance = ambient;
    float rim = reflectance + (1.0 - reflectance) * pow(1.0 - nv, 5.0) * (1.0 - roughness);
    vec3 specular = ambient * rim * 0.5 * gloss;
    for (int i = 0; i < {KEY_LIGHTS}; i++) {{
        vec3 l = key_direction[i];
        float nl = dot(n, l);
        float reach = lit(key_to_light[i], place + normalize(facing) * 0.025,
                          i + {AMBIENT_LIGHTS});
        vec3 diffuse = clamp((vec3(nl) + wrap) / (1.0 + wrap), 0.0, 1.0);
        irradiance += key_color[i] * diffuse * mix(translucency, 1.0, reach);
        if (nl > 0.0) {{
            vec3 h = normalize(l + view);
            float nh = max(dot(n, h), 0.0), vh = max(dot(view, h), 0.0);
            float d = a2 / (3.1416 * pow(nh * nh * (a2 - 1.0) + 1.0, 2.0));
            float g = 1.0 / ((nl * (1.0 - k) + k) * (nv * (1.0 - k) + k));
            float f = reflectance + (1.0 - reflectance) * pow(1.0 - vh, 5.0);
            specular += key_color[i] * reach * nl * min(d, 40.0) * f * g * 0.785 * gloss;
        }}
    }}
    if (cornea) {{
        float strength = clamp(max(specular.r, max(specular.g, specular.b)) * 1.2, 0.0, 1.0);
        irradiance_out = vec4(0, 0, 0, strength);
        albedo_out = vec4(0, 0, 0, strength);
        specular_out = vec4(specular / max(strength, 1e-3), strength);
        cover_out = vec4(0, 1, 0, strength);
        return;
    }}
    float alpha = transparent_pass == 1 ? texel.a : 1.0;
    irradiance_out = vec4(irradiance, alpha);
    albedo_out = vec4(pow(texel.rgb, vec3(2.2)) * tint, alpha);
    specular_out = vec4(specular, alpha);
    cover_out = vec4(material == 0 ? 1.0 : 0.0, 1.0, 0.0, alpha);
}}
"""
