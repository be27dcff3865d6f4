;; The two passes of resizing, on bytes, 8 at a time. What is computed, to the bit: of each output the sum of inputs times
;; 22-bit weights, plus a half, cut by 22 bits and clamped to 0 … 255.
;;
;; A weight is split into its upper part (high) and its lowest 11 bits (low), so that both fit 16 bits and one instruction
;; multiplies and adds the bytes of two inputs. The sums are put together again at the end; what overflows on the way
;; cancels out, as all of it is arithmetic modulo 2^32 and the result fits.
;;
;; Weights come as bicubic.ts packs them: of each output position the first input, the number of pairs of inputs, and for
;; each pair two words, each with the part of the first's weight in its lower and that of the second's in its upper half.
(module
  (memory (export "memory") 1)

  ;; Resizes a row of pixels of 4 bytes. May read 4 bytes beyond the row, times a weight of 0.
  ;;   $from: the row; $to, $end: where the pixels go, and the address behind them; $position: weights of the first
  (func (export "across") (param $from i32) (param $to i32) (param $end i32) (param $position i32)
    (local $at i32) (local $pairs i32) (local $pixels v128) (local $high v128) (local $low v128)
    (loop $pixel
      (local.set $at (i32.add (local.get $from) (i32.shl (i32.load (local.get $position)) (i32.const 2))))
      (local.set $pairs (i32.load offset=4 (local.get $position)))
      (local.set $position (i32.add (local.get $position) (i32.const 8)))
      (local.set $high (v128.const i32x4 0 0 0 0))
      ;; A half.
      (local.set $low (v128.const i32x4 2097152 2097152 2097152 2097152))
      (loop $pair
        ;; Two pixels to 16 bits a channel: red, red, green, green, blue, blue, and the fourth.
        (local.set $pixels
          (i8x16.swizzle
            (v128.load64_zero (local.get $at))
            (v128.const i8x16 0 128 4 128 1 128 5 128 2 128 6 128 3 128 7 128)))
        (local.set $high
          (i32x4.add
            (local.get $high)
            (i32x4.dot_i16x8_s (local.get $pixels) (v128.load32_splat (local.get $position)))))
        (local.set $low
          (i32x4.add
            (local.get $low)
            (i32x4.dot_i16x8_s (local.get $pixels) (v128.load32_splat offset=4 (local.get $position)))))
        (local.set $position (i32.add (local.get $position) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (i32.const 8)))
        (br_if $pair (local.tee $pairs (i32.sub (local.get $pairs) (i32.const 1)))))
      (local.set $low
        (i32x4.shr_s (i32x4.add (local.get $low) (i32x4.shl (local.get $high) (i32.const 11))) (i32.const 22)))
      (local.set $low (i16x8.narrow_i32x4_s (local.get $low) (local.get $low)))
      (v128.store32_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $low) (local.get $low)))
      (br_if $pixel
        (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 4))) (local.get $end)))))

  ;; Makes one row out of several. May read one row beyond them, times a weight of 0.
  ;;   $from: the first of the rows; $stride: bytes from one to the next, a multiple of 8;
  ;;   $to: where the row goes, as many bytes; $position: its weights
  (func (export "down") (param $from i32) (param $stride i32) (param $to i32) (param $position i32)
    (local $end i32) (local $at i32) (local $weights i32) (local $pairs i32)
    (local $bytes v128) (local $left v128) (local $right v128) (local $weight v128)
    (local $high-left v128) (local $high-right v128) (local $low-left v128) (local $low-right v128)
    (local.set $end (i32.add (local.get $to) (local.get $stride)))
    (loop $eight
      (local.set $at (local.get $from))
      (local.set $pairs (i32.load offset=4 (local.get $position)))
      (local.set $weights (i32.add (local.get $position) (i32.const 8)))
      (local.set $high-left (v128.const i32x4 0 0 0 0))
      (local.set $high-right (v128.const i32x4 0 0 0 0))
      (local.set $low-left (v128.const i32x4 2097152 2097152 2097152 2097152))
      (local.set $low-right (v128.const i32x4 2097152 2097152 2097152 2097152))
      (loop $pair
        ;; Bytes of a row and of the next in turn, to 16 bits each.
        (local.set $bytes
          (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23
            (v128.load64_zero (local.get $at))
            (v128.load64_zero (i32.add (local.get $at) (local.get $stride)))))
        (local.set $left (i16x8.extend_low_i8x16_u (local.get $bytes)))
        (local.set $right (i16x8.extend_high_i8x16_u (local.get $bytes)))
        (local.set $weight (v128.load32_splat (local.get $weights)))
        (local.set $high-left
          (i32x4.add (local.get $high-left) (i32x4.dot_i16x8_s (local.get $left) (local.get $weight))))
        (local.set $high-right
          (i32x4.add (local.get $high-right) (i32x4.dot_i16x8_s (local.get $right) (local.get $weight))))
        (local.set $weight (v128.load32_splat offset=4 (local.get $weights)))
        (local.set $low-left
          (i32x4.add (local.get $low-left) (i32x4.dot_i16x8_s (local.get $left) (local.get $weight))))
        (local.set $low-right
          (i32x4.add (local.get $low-right) (i32x4.dot_i16x8_s (local.get $right) (local.get $weight))))
        (local.set $weights (i32.add (local.get $weights) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (i32.shl (local.get $stride) (i32.const 1))))
        (br_if $pair (local.tee $pairs (i32.sub (local.get $pairs) (i32.const 1)))))
      (local.set $left
        (i32x4.shr_s
          (i32x4.add (local.get $low-left) (i32x4.shl (local.get $high-left) (i32.const 11)))
          (i32.const 22)))
      (local.set $right
        (i32x4.shr_s
          (i32x4.add (local.get $low-right) (i32x4.shl (local.get $high-right) (i32.const 11)))
          (i32.const 22)))
      (local.set $left (i16x8.narrow_i32x4_s (local.get $left) (local.get $right)))
      (v128.store64_lane 0 (local.get $to) (i8x16.narrow_i16x8_u (local.get $left) (local.get $left)))
      (local.set $from (i32.add (local.get $from) (i32.const 8)))
      (br_if $eight
        (i32.lt_u (local.tee $to (i32.add (local.get $to) (i32.const 8))) (local.get $end))))))
