// OpenSeadragon's own types, completed and corrected where its code has it otherwise.
import OpenSeadragon from "openseadragon";

declare module "openseadragon" {
  interface Viewport {
    minZoomLevel: number;
    maxZoomLevel: number;
  }
  interface TiledImage {
    _needsDraw: boolean;
    _isBlending: boolean;
    _wasBlending: boolean;
    _positionTile(
      tile: OpenSeadragon.Tile,
      overlap: number,
      viewport: OpenSeadragon.Viewport,
      ...rest: unknown[]
    ): void;
  }
  interface Viewer {
    addTiledImage(options: LayerOptions): void;
  }
}

interface LayerOptions extends Omit<OpenSeadragon.TileSourceSpecifier, "success" | "error"> {
  success: (event: { item: OpenSeadragon.TiledImage }) => void;
  error: (event: { message: string }) => void;
}

/** What the page uses; the library's own types say that a pixel ratio is a number. */
declare class TileSource {
  constructor(options: OpenSeadragon.TileSourceOptions);
  dimensions: OpenSeadragon.Point;
  minLevel: number;
  maxLevel: number;
  getClosestLevel(): number;
  getPixelRatio(level: number): OpenSeadragon.Point;
  getTileWidth(level: number): number;
  getTileUrl(level: number, x: number, y: number): string;
  tileExists(level: number, x: number, y: number): boolean;
}

declare global {
  interface Window {
    /** Of the classic script, which openseadragon.js loads. */
    OpenSeadragon: Omit<typeof OpenSeadragon, "TileSource" | "console"> & {
      TileSource: typeof TileSource;
      console: Pick<Console, "error">;
    };
    /** Of before-paint.js. */
    switchTheme(): void;
  }
}
