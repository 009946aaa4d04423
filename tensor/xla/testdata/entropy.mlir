module @likely {
  func.func @main(%arg0: tensor<4x3xf32>, %arg1: tensor<4xi32>) -> (tensor<4x3xf32>, tensor<4xi32>, tensor<4x3xf32>) {
    %0 = "stablehlo.constant"() {value = dense<1.0e+00> : tensor<f32>} : () -> tensor<f32>
    %1 = "stablehlo.reshape"(%0) : (tensor<f32>) -> tensor<1x1xf32>
    %2 = "stablehlo.broadcast_in_dim"(%1) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<1x1xf32>) -> tensor<4x1xf32>
    %3 = "stablehlo.constant"() {value = dense<0xFF800000> : tensor<f32>} : () -> tensor<f32>
    %4 = "stablehlo.reduce"(%arg0, %3) ({
    ^bb0(%5: tensor<f32>, %6: tensor<f32>):
    %7 = "stablehlo.maximum"(%5, %6) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%7) : (tensor<f32>) -> ()
    }) {dimensions = array<i64: 1>} : (tensor<4x3xf32>, tensor<f32>) -> tensor<4xf32>
    %8 = "stablehlo.reshape"(%4) : (tensor<4xf32>) -> tensor<4x1xf32>
    %9 = "stablehlo.broadcast_in_dim"(%8) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<4x1xf32>) -> tensor<4x3xf32>
    %10 = "stablehlo.subtract"(%arg0, %9) : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
    %11 = "stablehlo.exponential"(%10) : (tensor<4x3xf32>) -> tensor<4x3xf32>
    %12 = "stablehlo.negate"(%2) : (tensor<4x1xf32>) -> tensor<4x1xf32>
    %13 = "stablehlo.reshape"(%12) : (tensor<4x1xf32>) -> tensor<4x1x1xf32>
    %14 = "stablehlo.reshape"(%arg1) : (tensor<4xi32>) -> tensor<4x1xi32>
    %15 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<4x3x1xf32>} : () -> tensor<4x3x1xf32>
    %16 = "stablehlo.iota"() {iota_dimension = 0 : i64} : () -> tensor<4x1x1xi32>
    %17 = "stablehlo.reshape"(%14) : (tensor<4x1xi32>) -> tensor<4x1x1xi32>
    %18 = "stablehlo.concatenate"(%16, %17) {dimension = 2 : i64} : (tensor<4x1x1xi32>, tensor<4x1x1xi32>) -> tensor<4x1x2xi32>
    %19 = "stablehlo.scatter"(%15, %18, %13) ({
    ^bb0(%20: tensor<f32>, %21: tensor<f32>):
    %22 = "stablehlo.add"(%20, %21) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%22) : (tensor<f32>) -> ()
    }) {scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = [2], inserted_window_dims = [0, 1], scatter_dims_to_operand_dims = [0, 1], index_vector_dim = 2>, indices_are_sorted = false, unique_indices = false} : (tensor<4x3x1xf32>, tensor<4x1x2xi32>, tensor<4x1x1xf32>) -> tensor<4x3x1xf32>
    %23 = "stablehlo.reshape"(%19) : (tensor<4x3x1xf32>) -> tensor<4x3xf32>
    %24 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<f32>} : () -> tensor<f32>
    %25 = "stablehlo.reduce"(%11, %24) ({
    ^bb0(%26: tensor<f32>, %27: tensor<f32>):
    %28 = "stablehlo.add"(%26, %27) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%28) : (tensor<f32>) -> ()
    }) {dimensions = array<i64: 1>} : (tensor<4x3xf32>, tensor<f32>) -> tensor<4xf32>
    %29 = "stablehlo.reshape"(%25) : (tensor<4xf32>) -> tensor<4x1xf32>
    %30 = "stablehlo.divide"(%2, %29) : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
    %31 = "stablehlo.broadcast_in_dim"(%30) {broadcast_dimensions = array<i64: 0, 1>} : (tensor<4x1xf32>) -> tensor<4x3xf32>
    %32 = "stablehlo.multiply"(%11, %31) : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
    %33 = "stablehlo.add"(%32, %23) : (tensor<4x3xf32>, tensor<4x3xf32>) -> tensor<4x3xf32>
    %34 = "stablehlo.iota"() {iota_dimension = 1 : i64} : () -> tensor<4x3xi32>
    %35 = "stablehlo.constant"() {value = dense<0xFF800000> : tensor<f32>} : () -> tensor<f32>
    %36 = "stablehlo.constant"() {value = dense<2147483647> : tensor<i32>} : () -> tensor<i32>
    %37:2 = "stablehlo.reduce"(%arg0, %34, %35, %36) ({
    ^bb0(%38: tensor<f32>, %39: tensor<i32>, %40: tensor<f32>, %41: tensor<i32>):
    %42 = "stablehlo.compare"(%38, %40) {comparison_direction = #stablehlo<comparison_direction GT>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %43 = "stablehlo.compare"(%38, %40) {comparison_direction = #stablehlo<comparison_direction EQ>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %44 = "stablehlo.compare"(%38, %38) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %45 = "stablehlo.compare"(%40, %40) {comparison_direction = #stablehlo<comparison_direction NE>} : (tensor<f32>, tensor<f32>) -> tensor<i1>
    %46 = "stablehlo.not"(%45) : (tensor<i1>) -> tensor<i1>
    %47 = "stablehlo.and"(%44, %46) : (tensor<i1>, tensor<i1>) -> tensor<i1>
    %48 = "stablehlo.or"(%42, %47) : (tensor<i1>, tensor<i1>) -> tensor<i1>
    %49 = "stablehlo.and"(%44, %45) : (tensor<i1>, tensor<i1>) -> tensor<i1>
    %50 = "stablehlo.or"(%43, %49) : (tensor<i1>, tensor<i1>) -> tensor<i1>
    %51 = "stablehlo.compare"(%39, %41) {comparison_direction = #stablehlo<comparison_direction LT>} : (tensor<i32>, tensor<i32>) -> tensor<i1>
    %52 = "stablehlo.and"(%50, %51) : (tensor<i1>, tensor<i1>) -> tensor<i1>
    %53 = "stablehlo.or"(%48, %52) : (tensor<i1>, tensor<i1>) -> tensor<i1>
    %54 = "stablehlo.select"(%53, %38, %40) : (tensor<i1>, tensor<f32>, tensor<f32>) -> tensor<f32>
    %55 = "stablehlo.select"(%53, %39, %41) : (tensor<i1>, tensor<i32>, tensor<i32>) -> tensor<i32>
    "stablehlo.return"(%54, %55) : (tensor<f32>, tensor<i32>) -> ()
    }) {dimensions = array<i64: 1>} : (tensor<4x3xf32>, tensor<4x3xi32>, tensor<f32>, tensor<i32>) -> (tensor<4xf32>, tensor<4xi32>)
    %56 = "stablehlo.constant"() {value = dense<0.0e+00> : tensor<f32>} : () -> tensor<f32>
    %57 = "stablehlo.reduce_window"(%arg0, %56) ({
    ^bb0(%58: tensor<f32>, %59: tensor<f32>):
    %60 = "stablehlo.add"(%58, %59) : (tensor<f32>, tensor<f32>) -> tensor<f32>
    "stablehlo.return"(%60) : (tensor<f32>) -> ()
    }) {window_dimensions = array<i64: 4, 1>, window_strides = array<i64: 1, 1>, base_dilations = array<i64: 1, 1>, window_dilations = array<i64: 1, 1>, padding = dense<[[0, 3], [0, 0]]> : tensor<2x2xi64>} : (tensor<4x3xf32>, tensor<f32>) -> tensor<4x3xf32>
    "func.return"(%33, %37#1, %57) : (tensor<4x3xf32>, tensor<4xi32>, tensor<4x3xf32>) -> ()
  }
}
