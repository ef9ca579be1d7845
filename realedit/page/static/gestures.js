// Mouse, finger, wheel and pinch on the stage, told as what they mean. Nothing here asks the server.
//
// `hand` decides and acts: grab(place) -> a drag {move(place), end(), pinch(factor)} or null where nothing is to be
// grabbed; tap(place, event); box(from, to, done); wheel(place, factor) -> whether it was for a thing.
const TAP = 4; // CSS pixels: what moves less is a tap
const WHEEL = 0.0012; // by which power of e a wheel's pixel enlarges

export function follow(stage, hand) {
  const pointers = new Map();
  let drag = null, start = null, moved = false, pinch = null;

  const place = (event) => stage.pointOf(event);
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { distance: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  };

  stage.element.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button, input, a")) return;
    stage.element.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    if (pointers.size === 2) {
      pinch = { ...spread(), drag };
      if (!drag?.pinch) {
        drag?.cancel?.();
        drag = null;
      }
      return;
    }
    if (pointers.size > 2) return;
    [start, moved] = [place(event), false];
    const panning = event.button === 1 || event.shiftKey && event.button === 0 && stage.zoom > 1 && !hand.wantsShift?.();
    drag = panning ? pan(start) : event.button === 0 ? hand.grab(start, event) : null;
    if (panning) event.preventDefault();
  });

  stage.element.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return hand.hover(place(event));
    pointers.set(event.pointerId, place(event));
    if (pinch && pointers.size === 2) {
      const now = spread();
      const factor = now.distance / Math.max(1, pinch.distance);
      if (drag?.pinch) drag.pinch(factor);
      else {
        stage.zoomAt(now.middle, factor);
        const s = stage.scale;
        stage.pan([(pinch.middle[0] - now.middle[0]) / (stage.size[0] * s), (pinch.middle[1] - now.middle[1]) / (stage.size[1] * s)]);
      }
      Object.assign(pinch, now);
      return;
    }
    const here = place(event);
    if (!moved && Math.hypot(here[0] - start[0], here[1] - start[1]) < TAP) return;
    if (!moved && !drag && !pinch) drag = hand.box(start);
    moved = true;
    drag?.move(here, event);
  });

  const up = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (pinch) {
      if (pointers.size === 0) {
        drag?.end?.();
        [pinch, drag] = [null, null];
      }
      return;
    }
    const here = place(event);
    if (event.type === "pointercancel") drag?.cancel?.();
    else if (moved || drag?.always) drag?.end?.(here);
    else if (event.button === 0) hand.tap(start, event);
    drag = null;
  };
  stage.element.addEventListener("pointerup", up);
  stage.element.addEventListener("pointercancel", up);
  stage.element.addEventListener("pointerleave", () => hand.hover(null));

  stage.element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
    const factor = Math.exp(-pixels * WHEEL * (event.ctrlKey ? 4 : 1));
    if (event.ctrlKey || !hand.wheel(place(event), factor)) stage.zoomAt(place(event), factor);
  }, { passive: false });

  function pan(from) {
    let last = from;
    return {
      move(here) {
        const s = stage.scale;
        stage.pan([(last[0] - here[0]) / (stage.size[0] * s), (last[1] - here[1]) / (stage.size[1] * s)]);
        last = here;
      },
    };
  }
}
