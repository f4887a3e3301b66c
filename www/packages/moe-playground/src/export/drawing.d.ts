// What a picture is made of, between the screen and a file. Declarations stand apart from the modules, which would else name
// each other in a circle.

export interface Paint {
  /** Six digits: `#1b1a17`. */
  colour: string;
  /** From 0 to 1. */
  alpha: number;
}

export interface PathShape {
  kind: "path";
  d: string;
  matrix?: number[];
  fill?: Paint;
  stroke?: Paint;
  width?: number;
  dash?: number[];
  /** The matrix does not change the width of the stroke. */
  keepsWidth?: boolean;
}

export interface Font {
  family: string;
  /** In CSS pixels, as `spacing` between letters. */
  size: number;
  weight: string;
  style: string;
  spacing: number;
}

/** From `x` on the baseline `y`, turned about that point by so many degrees. */
export interface TextShape {
  kind: "text";
  text: string;
  x: number;
  y: number;
  /** The width it had on the screen. */
  length: number;
  font: Font;
  fill: Paint;
  turn?: number;
  isRightToLeft?: boolean;
}

export interface Group {
  kind: "group";
  /** A path; what lies outside is not seen. */
  clip?: string;
  matrix?: number[];
  alpha?: number;
  shapes: Shape[];
}

export type Shape = PathShape | TextShape | Group;
