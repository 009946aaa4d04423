module @likely {
  func.func @main(%arg0: tensor<8x3xf32>, %arg1: tensor<8x2xf32>, %arg2: tensor<3x2xf32>, %arg3: tensor<2xf32>) -> (tensor<f32>, tensor<3x2xf32>, tensor<2xf32>) {
    %0 = "stablehlo.dot_general"(%arg0, %arg2) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [0]>, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<8x3xf32>, tensor<3x2xf32>) -> tensor<8x2xf32>
    %1 = "stablehlo.reshape"(%arg3) : (tensor<2xf32>) -> tensor<1x2xf32>
    %2 = "stablehlo.broadcast_in_dim"(%1) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<1x2xf32>) -> tensor<8x2xf32>
    %3 = "stablehlo.add"(%0, %2) : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
    %4 = "stablehlo.subtract"(%3, %arg1) : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
    %5 = "stablehlo.multiply"(%4, %4) : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
    %6 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<f32>} : () -> tensor<f32>
    %7 = "stablehlo.reduce"(%5, %6) ({
    ^bb0(%8: tensor<f32>, %9: tensor<f32>):
    %10 = "stablehlo.add"(%8, %9) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%10) : (tensor<f32>) -> ()
    }) {dimensions = array<i64: 0, 1>} : (tensor<8x2xf32>, tensor<f32>) -> tensor<f32>
    %11 = "stablehlo.constant"() {value = dense<6.25e-02> : tensor<f32>} : () -> tensor<f32>
    %12 = "stablehlo.multiply"(%7, %11) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %13 = "stablehlo.constant"() {value = dense<1.0e+00> : tensor<f32>} : () -> tensor<f32>
    %14 = "stablehlo.multiply"(%13, %11) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    %15 = "stablehlo.reshape"(%14) : (tensor<f32>) -> tensor<1x1xf32>
    %16 = "stablehlo.broadcast_in_dim"(%15) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<1x1xf32>) -> tensor<8x2xf32>
    %17 = "stablehlo.multiply"(%16, %4) : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
    %18 = "stablehlo.multiply"(%16, %4) : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
    %19 = "stablehlo.add"(%17, %18) : (tensor<8x2xf32>, tensor<8x2xf32>) -> tensor<8x2xf32>
    %20 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<f32>} : () -> tensor<f32>
    %21 = "stablehlo.reduce"(%19, %20) ({
    ^bb0(%22: tensor<f32>, %23: tensor<f32>):
    %24 = "stablehlo.add"(%22, %23) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%24) : (tensor<f32>) -> ()
    }) {dimensions = array<i64: 0>} : (tensor<8x2xf32>, tensor<f32>) -> tensor<2xf32>
    %25 = "stablehlo.reshape"(%21) : (tensor<2xf32>) -> tensor<1x2xf32>
    %26 = "stablehlo.reshape"(%25) : (tensor<1x2xf32>) -> tensor<2xf32>
    %27 = "stablehlo.dot_general"(%arg0, %19) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [0], rhs_contracting_dimensions = [0]>, precision_config = [#stablehlo<precision HIGHEST>, #stablehlo<precision HIGHEST>]} : (tensor<8x3xf32>, tensor<8x2xf32>) -> tensor<3x2xf32>
    %28 = "stablehlo.constant"() {value = dense<1.0e-01> : tensor<f32>} : () -> tensor<f32>
    %29 = "stablehlo.reshape"(%28) : (tensor<f32>) -> tensor<1x1xf32>
    %30 = "stablehlo.broadcast_in_dim"(%29) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<1x1xf32>) -> tensor<3x2xf32>
    %31 = "stablehlo.multiply"(%27, %30) : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    %32 = "stablehlo.subtract"(%arg2, %31) : (tensor<3x2xf32>, tensor<3x2xf32>) -> tensor<3x2xf32>
    %33 = "stablehlo.constant"() {value = dense<1.0e-01> : tensor<f32>} : () -> tensor<f32>
    %34 = "stablehlo.reshape"(%33) : (tensor<f32>) -> tensor<1xf32>
    %35 = "stablehlo.broadcast_in_dim"(%34) {broadcast_dimensions = array<i64: 0>} : (tensor<1xf32>) -> tensor<2xf32>
    %36 = "stablehlo.multiply"(%26, %35) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    %37 = "stablehlo.subtract"(%arg3, %36) : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
    "func.return"(%12, %32, %37) : (tensor<f32>, tensor<3x2xf32>, tensor<2xf32>) -> ()
  }
}
