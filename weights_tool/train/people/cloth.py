"""Materials of skin and cloth, drawn by formulas. Own code."""

import cv2
import numpy as np

from stage import material, node, rgb


def skin_material(r):
    tone = r.choice(6)
    base = np.array([[0.62, 0.40, 0.31], [0.55, 0.33, 0.235], [0.47, 0.27, 0.175], [0.33, 0.175, 0.105], [0.18, 0.087, 0.05], [0.085, 0.042, 0.027]])[tone]
    base = base * r.uniform(0.88, 1.12) * (1 + r.normal(0, 0.03, 3))
    m, nt, b = material("skin")
    att = lambda n: node(nt, "ShaderNodeAttribute", attribute_name=n)
    mix = lambda a, bcol, f: _mix(nt, a, bcol, f)
    c = rgb(nt, base)
    n1 = node(nt, "ShaderNodeTexNoise", {"Scale": 22.0, "Detail": 5.0, "Roughness": 0.65})
    c = mix(c, base * np.array([0.80, 0.66, 0.62]), _scale(nt, n1.outputs["Fac"], 0.55))
    n2 = node(nt, "ShaderNodeTexNoise", {"Scale": 230.0, "Detail": 2.0})
    c = mix(c, base * 0.72, _scale(nt, n2.outputs["Fac"], 0.30))
    c = mix(c, base * np.array([1.05, 0.62, 0.58]), _scale(nt, att("red").outputs["Fac"], r.uniform(0.25, 0.6)))
    c = mix(c, base * np.array([0.75, 0.6, 0.62]), _scale(nt, att("eyebag").outputs["Fac"], r.uniform(0.1, 0.5)))
    lip = base * np.array([0.95, 0.45, 0.45]) if r.random() < 0.7 else np.array([0.45, 0.05, 0.07])
    c = mix(c, lip, _scale(nt, att("lip").outputs["Fac"], r.uniform(0.55, 0.95)))
    c = mix(c, base * np.array([0.45, 0.42, 0.45]), _scale(nt, att("stubble").outputs["Fac"], 1.0))
    nt.links.new(c, b.inputs["Base Color"])
    b.inputs["Subsurface Weight"].default_value = 0.25
    b.inputs["Subsurface Radius"].default_value = (1.0, 0.35, 0.2)
    b.inputs["Subsurface Scale"].default_value = 0.008
    b.inputs["Roughness"].default_value = r.uniform(0.36, 0.55)
    b.inputs["Specular IOR Level"].default_value = 0.45
    bump = node(nt, "ShaderNodeBump", {"Strength": 0.25, "Distance": 0.0006})
    nt.links.new(n2.outputs["Fac"], bump.inputs["Height"])
    nt.links.new(bump.outputs[0], b.inputs["Normal"])
    return m, tone


def _mix(nt, a, bcol, f):
    n = nt.nodes.new("ShaderNodeMix")
    n.data_type = "RGBA"
    nt.links.new(f, n.inputs[0])
    nt.links.new(a, n.inputs[6])
    if hasattr(bcol, "links") or hasattr(bcol, "is_linked"):
        nt.links.new(bcol, n.inputs[7])
    else:
        n.inputs[7].default_value = (*np.clip(bcol, 0, 1), 1)
    return n.outputs[2]


def _scale(nt, a, s, add=0.0):
    n = node(nt, "ShaderNodeMath", operation="MULTIPLY_ADD")
    nt.links.new(a, n.inputs[0])
    n.inputs[1].default_value = float(s)
    n.inputs[2].default_value = float(add)
    n.use_clamp = True
    return n.outputs[0]


def cloth_material(r, col, pattern="plain", rough=0.85, wrinkle=1.0, sheen=0.0, scale=1.0, metal=0.0):
    """cut > 0 is cloth, elsewhere nothing; pattern drawn in the coordinates of the unposed body"""
    m, nt, b = material("cloth")
    out = nt.nodes["Material Output"]
    rest = node(nt, "ShaderNodeAttribute", attribute_name="rest")
    c = rgb(nt, col)
    col2 = np.clip(col * r.uniform(0.3, 0.7) if r.random() < 0.5 else r.uniform(0.02, 0.9, 3), 0, 1)
    if pattern in ("stripes", "hstripes", "plaid", "check"):
        for ax in {"stripes": "X", "hstripes": "Z", "plaid": "XZ", "check": "XZ"}[pattern]:
            w = node(nt, "ShaderNodeTexWave", {"Scale": r.uniform(4, 30) * scale, "Distortion": 0.0}, wave_type="BANDS", bands_direction=ax)
            nt.links.new(rest.outputs["Vector"], w.inputs["Vector"])
            ramp = node(nt, "ShaderNodeMath", operation="GREATER_THAN")
            nt.links.new(w.outputs["Fac"], ramp.inputs[0])
            ramp.inputs[1].default_value = r.uniform(0.4, 0.9)
            c = _mix(nt, c, col2, _scale(nt, ramp.outputs[0], 0.9 if pattern != "plaid" else 0.5))
    elif pattern in ("dots", "flowers", "blotch"):
        if pattern == "blotch":
            w = node(nt, "ShaderNodeTexNoise", {"Scale": r.uniform(6, 30), "Detail": 3.0, "Distortion": 1.0})
            k, op, th = "Fac", "GREATER_THAN", 0.53
        else:
            w = node(nt, "ShaderNodeTexVoronoi", {"Scale": r.uniform(18, 45), "Randomness": 0.0 if pattern == "dots" else 1.0})
            k, op, th = "Distance", "LESS_THAN", r.uniform(0.2, 0.4)
        nt.links.new(rest.outputs["Vector"], w.inputs["Vector"])
        g = node(nt, "ShaderNodeMath", operation=op)
        nt.links.new(w.outputs[k], g.inputs[0])
        g.inputs[1].default_value = th
        c = _mix(nt, c, w.outputs["Color"] if pattern == "flowers" and r.random() < 0.5 else col2, _scale(nt, g.outputs[0], 0.95))
    n0 = node(nt, "ShaderNodeTexNoise", {"Scale": 9.0, "Detail": 4.0, "Roughness": 0.6})
    c = _mix(nt, c, col * 0.55, _scale(nt, n0.outputs["Fac"], 0.35))
    nt.links.new(c, b.inputs["Base Color"])
    b.inputs["Roughness"].default_value = rough
    b.inputs["Metallic"].default_value = metal
    b.inputs["Specular IOR Level"].default_value = 0.3 if rough > 0.6 else 0.5
    b.inputs["Sheen Weight"].default_value = sheen
    fold = node(nt, "ShaderNodeTexNoise", {"Scale": r.uniform(7, 14), "Detail": 3.0, "Roughness": 0.45, "Distortion": 0.6})
    mapp = node(nt, "ShaderNodeMapping", {"Scale": (1.0, 1.0, r.uniform(0.7, 1.6))})
    nt.links.new(rest.outputs["Vector"], mapp.inputs["Vector"])
    nt.links.new(mapp.outputs[0], fold.inputs["Vector"])
    weave = node(nt, "ShaderNodeTexNoise", {"Scale": 380.0, "Detail": 1.0})
    b1 = node(nt, "ShaderNodeBump", {"Strength": 0.9, "Distance": 0.022 * wrinkle})
    b2 = node(nt, "ShaderNodeBump", {"Strength": 0.4, "Distance": 0.001})
    nt.links.new(fold.outputs["Fac"], b1.inputs["Height"])
    nt.links.new(weave.outputs["Fac"], b2.inputs["Height"])
    nt.links.new(b1.outputs[0], b2.inputs["Normal"])
    nt.links.new(b2.outputs[0], b.inputs["Normal"])
    cut = node(nt, "ShaderNodeAttribute", attribute_name="cut")
    gt = node(nt, "ShaderNodeMath", operation="GREATER_THAN")
    nt.links.new(cut.outputs["Fac"], gt.inputs[0])
    gt.inputs[1].default_value = 0.0
    tr = node(nt, "ShaderNodeBsdfTransparent")
    mx = node(nt, "ShaderNodeMixShader")
    nt.links.new(gt.outputs[0], mx.inputs[0])
    nt.links.new(tr.outputs[0], mx.inputs[1])
    nt.links.new(b.outputs[0], mx.inputs[2])
    nt.links.new(mx.outputs[0], out.inputs["Surface"])
    return m


def cloth_colour(r, dark=0.35):
    u = r.random()
    if u < dark:
        return np.clip(r.uniform(0.008, 0.05) * (1 + r.normal(0, 0.25, 3)), 0.004, 1)
    if u < dark + 0.2:
        return np.clip(r.uniform(0.55, 0.85) * (1 + r.normal(0, 0.04, 3)), 0, 1)
    loud = r.random() < 0.25
    hue = int(r.choice([r.normal(15, 8), r.normal(108, 10), r.uniform(0, 180)], p=[0.3, 0.35, 0.35])) % 180
    h = np.uint8([[[hue, r.integers(80, 190) if loud else r.integers(10, 85), r.integers(60, 215)]]])
    return (cv2.cvtColor(h, cv2.COLOR_HSV2RGB)[0, 0] / 255.0) ** 2.2
