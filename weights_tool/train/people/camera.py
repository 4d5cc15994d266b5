"""The camera: how a person or a thing is framed, lens and lens blur; and the curve from linear light to a picture. Own code."""

import bpy
import numpy as np
from mathutils import Vector

SENSOR = 24.0  # mm, vertical


def place_camera(r, tgt, ext, asp, size, lens, az, tilt, focus):
    """looks at tgt, where the view is ext metres high; az, tilt in radians (tilt > 0: from below); focus: the point that is sharp"""
    w, h = (size, int(size / asp) // 2 * 2) if asp > 1 else (int(size * asp) // 2 * 2, size)
    dist = ext * lens / SENSOR
    cam = bpy.data.cameras.new("cam")
    cam.lens, cam.sensor_height, cam.sensor_fit = lens, SENSOR, "VERTICAL"
    ob = bpy.data.objects.new("cam", cam)
    bpy.context.scene.collection.objects.link(ob)
    tgt = Vector(tgt)
    pos = tgt + Vector((np.sin(az) * np.cos(tilt) * dist, -np.cos(az) * np.cos(tilt) * dist, -np.sin(tilt) * dist))
    pos.z = max(pos.z, 0.15)
    ob.location = pos
    ob.rotation_euler = (tgt - pos).to_track_quat("-Z", "Y").to_euler()
    ob.rotation_euler.rotate_axis("Z", r.normal(0, 0.025))
    cam.dof.use_dof = True
    cam.dof.focus_distance = (Vector(focus) - pos).length * r.normal(0.99, 0.01)
    cam.dof.aperture_fstop = float(r.choice([1.4, 2.0, 2.8, 4.0, 8.0, 16.0]))
    s = bpy.context.scene
    s.camera = ob
    s.render.resolution_x, s.render.resolution_y, s.render.resolution_percentage = w, h, 100
    return dict(ob=ob, pos=np.array(pos), dist=dist, ext=ext, asp=w / h, lens=lens)


def of_person(r, frame, hc, lo, hi, size, wide=False):
    """portrait, bust, half, three-quarter or full figure; lo, hi: corners of all that is shown; wide: several people"""
    top, H = hi[2], hi[2] - lo[2]
    asp = r.choice([0.67, 0.75, 0.8, 1.0, 1.25, 1.5], p=[0.15, 0.25, 0.15, 0.25, 0.1, 0.1] if frame != "full" else [0.4, 0.3, 0.15, 0.15, 0, 0])
    if wide:
        asp = r.choice([1.0, 1.25, 1.5])
    ext = {"portrait": r.uniform(0.36, 0.55), "bust": r.uniform(0.55, 0.85), "half": r.uniform(0.85, 1.15), "three": r.uniform(0.75, 0.9) * H, "full": H * r.uniform(1.02, 1.2)}[frame]
    if wide or frame == "full":
        ext = max(ext, (hi[0] - lo[0]) / asp * r.uniform(0.8, 1.1))
    head = r.uniform(0.04, 0.2) * ext if frame != "portrait" else r.uniform(-0.05, 0.14) * ext  # free space above the head
    cz = top + head - ext / 2 if frame != "full" else (lo[2] + hi[2]) / 2 + r.uniform(-0.3, 0.3) * (ext - H)
    mid = (lo[0] + hi[0]) / 2 if frame == "full" or wide else hc[0]
    lens = r.choice([28, 35, 50, 70, 90], p=[0.1, 0.25, 0.3, 0.2, 0.15])
    tilt = r.normal(0, 0.07) if frame != "full" else r.uniform(-0.15, 0.05)
    return place_camera(r, (mid + r.normal(0, 0.08) * ext * asp, hc[1] * 0.5, cz), ext, asp, size, lens, r.normal(0, 0.05), tilt, hc)


def of_thing(r, lo, hi, size):
    """a thing from the front or above, filling most of the frame, sometimes more than it"""
    d = hi - lo
    asp = r.choice([0.75, 0.8, 1.0, 1.25, 1.5], p=[0.15, 0.1, 0.35, 0.2, 0.2])
    tilt = -np.radians(r.uniform(0, 40) if max(d) < 0.7 else r.uniform(-3, 22))
    tall = d[2] * np.cos(tilt) + d[1] * abs(np.sin(tilt))
    ext = max(tall, np.hypot(d[0], 0.3 * d[1]) / asp) * (r.uniform(1.02, 1.6) if r.random() < 0.8 else r.uniform(0.7, 1.0))
    mid = (lo + hi) / 2
    tgt = mid + np.array([r.normal(0, 0.08) * ext * asp, 0, r.normal(0, 0.06) * ext])
    focus = mid - np.array([0, 0.3 * d[1], 0])
    return place_camera(r, tgt, ext, asp, size, r.choice([28, 35, 50, 85], p=[0.15, 0.3, 0.35, 0.2]), r.normal(0, 0.1), tilt, focus)


def tone_curve(r, lin, a):
    """linear light to a picture: exposure by the bright part, then a film-like curve"""
    y = lin @ np.array([0.25, 0.65, 0.1])
    key = np.exp(np.mean(np.log(y + 1e-4)))
    hi = np.percentile(y, 97)
    sub = np.median(y[a > 0.6]) if (a > 0.6).sum() > 50 else key
    e = 2.0 ** r.normal(0, 0.3) * (0.5 * 0.25 / (0.35 * key + 0.65 * sub + 1e-6) + 0.5 * 0.85 / (hi + 1e-6))
    if (a > 0.6).sum() > 50:  # no burnt-out subject
        e = min(e, 1.5 / (np.percentile(y[a > 0.6], 95) + 1e-6))
    k = r.uniform(0.75, 1.3)
    A, B, C, D, E = 2.51, 0.03, 2.43, 0.59, 0.14  # rational film curve
    film = r.random() < 0.7
    wb = 1 + r.normal(0, 0.045, 3)
    con = r.uniform(0.9, 1.12)

    def go(x):
        x = np.maximum(x * e * wb, 0)
        if film:
            x = np.clip((x * 0.7 * (A * x * 0.7 + B)) / (x * 0.7 * (C * x * 0.7 + D) + E), 0, 1)
            x = x ** (k * 0.5 + 0.5)
        x = np.clip(x, 0, 1)
        s = np.where(x < 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)
        return np.clip((s - 0.5) * con + 0.5, 0, 1)

    return go
